"""What Camtrap DP 1.0.2 says of its three tables (camtrap-dp.tdwg.org/data), as Table Schemas for frictionless."""

TIME = {"type": "datetime", "format": "%Y-%m-%dT%H:%M:%S%z"}
FROM_0, SHARE = {"minimum": 0}, {"minimum": 0, "maximum": 1}
LEAST = {"minimum": 1e-15, "maximum": 1}
FEATURES = (
    *("roadPaved", "roadDirt", "trailHiking", "trailGame", "roadUnderpass", "roadOverpass", "roadBridge", "culvert"),
    *("burrow", "nestSite", "carcass", "waterSource", "fruitingTree"),
)


def field(name: str, kind: str | dict = "string", required: bool = False, **constraints: object) -> dict:
    told = {"type": kind} if isinstance(kind, str) else kind
    return {"name": name} | told | {"constraints": {"required": required} | constraints}


def key(name: str) -> dict:
    return field(name, required=True, unique=True)


def link(field_name: str, table: str) -> dict:
    return {"fields": field_name, "reference": {"resource": table, "fields": field_name}}


DEPLOYMENTS = {
    "fields": [
        key("deploymentID"),
        field("locationID"),
        field("locationName"),
        field("latitude", "number", True, minimum=-90, maximum=90),
        field("longitude", "number", True, minimum=-180, maximum=180),
        field("coordinateUncertainty", "integer", minimum=1),
        field("deploymentStart", TIME, True),
        field("deploymentEnd", TIME, True),
        *(field(name) for name in ("setupBy", "cameraID", "cameraModel")),
        field("cameraDelay", "integer", **FROM_0),
        field("cameraHeight", "number", **FROM_0),
        field("cameraDepth", "number", **FROM_0),
        field("cameraTilt", "integer", minimum=-90, maximum=90),
        field("cameraHeading", "integer", minimum=0, maximum=360),
        field("detectionDistance", "number", **FROM_0),
        field("timestampIssues", "boolean"),
        field("baitUse", "boolean"),
        field("featureType", enum=list(FEATURES)),
        *(field(name) for name in ("habitat", "deploymentGroups", "deploymentTags", "deploymentComments")),
    ],
    "missingValues": ["", "NaN", "nan"],
    "primaryKey": "deploymentID",
}

MEDIA = {
    "fields": [
        key("mediaID"),
        field("deploymentID", required=True),
        field("captureMethod", enum=["activityDetection", "timeLapse"]),
        field("timestamp", TIME, True),
        field("filePath", required=True, pattern=r"^(?=^[^./~])(^((?!\.{2}).)*$).*$"),
        field("filePublic", "boolean", True),
        field("fileName"),
        field("fileMediatype", required=True, pattern=r"^(image|video|audio)/.*$"),
        field("exifData", "object"),
        field("favorite", "boolean"),
        field("mediaComments"),
    ],
    "missingValues": ["", "NaN", "nan"],
    "primaryKey": "mediaID",
    "foreignKeys": [link("deploymentID", "deployments")],
}

OBSERVATIONS = {
    "fields": [
        key("observationID"),
        field("deploymentID", required=True),
        field("mediaID"),
        field("eventID"),
        field("eventStart", TIME, True),
        field("eventEnd", TIME, True),
        field("observationLevel", required=True, enum=["media", "event"]),
        field(
            "observationType",
            required=True,
            enum=["animal", "human", "vehicle", "blank", "unknown", "unclassified"],
        ),
        field("cameraSetupType", enum=["setup", "calibration"]),
        field("scientificName"),
        field("count", "integer", minimum=1),
        field("lifeStage", enum=["adult", "subadult", "juvenile"]),
        field("sex", enum=["female", "male"]),
        field("behavior"),
        field("individualID"),
        field("individualPositionRadius", "number", **FROM_0),
        field("individualPositionAngle", "number", minimum=-90, maximum=90),
        field("individualSpeed", "number", **FROM_0),
        field("bboxX", "number", **SHARE),
        field("bboxY", "number", **SHARE),
        field("bboxWidth", "number", **LEAST),
        field("bboxHeight", "number", **LEAST),
        field("classificationMethod", enum=["human", "machine"]),
        field("classifiedBy"),
        field("classificationTimestamp", TIME),
        field("classificationProbability", "number", **SHARE),
        field("observationTags"),
        field("observationComments"),
    ],
    "missingValues": ["", "NaN", "nan"],
    "primaryKey": "observationID",
    "foreignKeys": [link("deploymentID", "deployments"), link("mediaID", "media")],
}

SCHEMAS = {"deployments": DEPLOYMENTS, "media": MEDIA, "observations": OBSERVATIONS}

DESIGNS = {"simpleRandom", "systematicRandom", "clusteredRandom", "experimental", "targeted", "opportunistic"}
REQUIRED = {
    *("resources", "profile", "created", "contributors", "project", "spatial", "temporal", "taxonomic"),
}
"""What the profile asks of `datapackage.json`."""
