"""A stock RTSP server on loopback, GStreamer's, as a camera that asks for a user and a password (digest).

    rtsp_camera.py FILM USER PASSWORD

FILM is MP4 with H.264. Prints the port, and shows the film from its start to everybody who calls at /1.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

film, user, password = sys.argv[1:4]
Gst.init(None)

viewer = GstRtspServer.RTSPToken()
viewer.set_string("media.factory.role", "viewer")
auth = GstRtspServer.RTSPAuth()
auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
auth.add_digest(user, password, viewer)
may = GstRtspServer.RTSPPermissions()
for what in ("media.factory.access", "media.factory.construct"):
    may.add_permission_for_role("viewer", what, True)

factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f'( filesrc location="{film}" ! qtdemux ! rtph264pay name=pay0 pt=96 config-interval=-1 )')
factory.set_permissions(may)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
server.set_auth(auth)
server.get_mount_points().add_factory("/1", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
