// The page that the measurement drives: what Give and the desk import, and nothing else.
import { useToken } from "../../web/src/lib/api/client";
import * as age from "../../web/src/lib/seal/age";
import * as files from "../../web/src/lib/seal/files";
import * as keys from "../../web/src/lib/seal/keys";
import * as offer from "../../web/src/lib/seal/offer";
import * as open from "../../web/src/lib/seal/open";
import * as seal from "../../web/src/lib/seal/seal";
import * as status from "../../web/src/lib/seal/status";
import * as store from "../../web/src/lib/seal/store";
import * as upload from "../../web/src/lib/seal/upload";
import { startTrustedTypes } from "../../web/src/lib/trusted";

startTrustedTypes();
Object.assign(globalThis, { seal: { useToken, ...age, ...files, ...keys, ...offer, ...open, ...seal, ...status, ...store, ...upload } });
