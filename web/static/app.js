// Everything here is comfort: every page works without it.
import { startTicking } from "./tick.js";
import { startKeys } from "./keys.js";
import { startAnswers, startFiles, startForms } from "./forms.js";
import { startUploads } from "./uploads.js";

document.documentElement.classList.add("js");
startTicking();
startKeys();
startForms();
startUploads();
startAnswers();
startFiles();
