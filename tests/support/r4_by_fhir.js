// Check a bundle (standard input) against R4 with the npm package "fhir", in a process of its own.
const { Fhir, ParseConformance, Versions } = require("fhir");
const fs = require("fs");
const path = require("path");
const bundle = JSON.parse(fs.readFileSync(0, "utf8"));
const fhir = new Fhir();
const found = fhir.validate(bundle, { errorOnUnexpected: true });
process.stdout.write(JSON.stringify(found));
