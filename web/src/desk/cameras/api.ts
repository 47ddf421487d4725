/** Calls about cameras and plate readers. */
import { api, type Schemas } from "$lib/api/client";

export type CameraView = Schemas["CameraView"];
export type NewCamera = Schemas["NewCamera"];
export type ChangeCamera = Schemas["ChangeCamera"];

/** What is searched for at a camera. */
export type Sought = "plates" | "footage";

/** Whether a search for these can look at the camera. */
export function sees(camera: CameraView, sought: Sought): boolean {
  return !camera.retired && (camera.use === sought || camera.use === "plates-and-footage");
}

/** The agency's cameras, then those that others share with it; to overseers all. */
export async function cameras(): Promise<CameraView[]> {
  const { data } = await api.GET("/api/v1/cameras");
  return (data as { items: CameraView[] }).items;
}

/** Registers a camera. */
export async function addCamera(camera: NewCamera): Promise<CameraView> {
  const { data } = await api.POST("/api/v1/cameras", { body: camera });
  return data as CameraView;
}

const at = (camera: string) => ({ params: { path: { camera } } });

/** Changes what is known of a camera. */
export async function changeCamera(camera: string, change: ChangeCamera): Promise<CameraView> {
  const { data } = await api.PATCH("/api/v1/cameras/{camera}", { ...at(camera), body: change });
  return data as CameraView;
}

/** Retires a camera: nothing is taken from it any more. */
export async function retireCamera(camera: string): Promise<void> {
  await api.POST("/api/v1/cameras/{camera}/retire", at(camera));
}

/** Issues the token with which one machine sends what this camera reads. */
export async function cameraToken(camera: CameraView, member: string, days: number): Promise<Schemas["IssuedToken"]> {
  const label = [...camera.name].slice(0, 80).join("");
  const body = { label, days, roles: [], scope: camera.id };
  const { data } = await api.POST("/api/v1/members/{member}/tokens", { params: { path: { member } }, body });
  return data as Schemas["IssuedToken"];
}
