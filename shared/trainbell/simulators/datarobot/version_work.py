"""Work on a version: dependency builds, conversions, feature impact, prediction explanations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trainbell.simulators.datarobot.answers import Refused, accepted, body_of, flag, page, url
from trainbell.simulators.datarobot.archives import log_archive
from trainbell.simulators.datarobot.checks import check, integer, text
from trainbell.simulators.datarobot.records import Conversion, Version
from trainbell.simulators.datarobot.versions import version_of
from trainbell.simulators.datarobot.work import Work
from trainbell.simulators.datarobot.world import World
from trainbell.simulators.service import Answer, Request

_DEPRECATED = {"Deprecation": "true"}

# ---------------------------------------------------------------- dependency builds


def start_build(world: World, request: Request, model_id: str, version_id: str) -> Answer:
    """A second build while one runs, or after one that went well, is refused (inferred)."""
    version = version_of(world, model_id, version_id)
    now = world.clock.now()
    if version.build is not None and version.build.status(now) != "ERROR":
        raise Refused(422, "The dependency build has been started already.")
    version.build = world.begin("ManagedImageBuild", f"dependencies of {version_id}")
    world.starts[f"build_dependencies:{version_id}"] += 1
    return Answer.json(_build_shown(world, request, version, version.build), 202)


def get_build(world: World, request: Request, model_id: str, version_id: str) -> Answer:
    version = version_of(world, model_id, version_id)
    return Answer.json(_build_shown(world, request, version, _build(version)))


def cancel_build(world: World, _: Request, model_id: str, version_id: str) -> Answer:
    version = version_of(world, model_id, version_id)
    now = world.clock.now()
    build = _build(version)
    if not build.is_active(now):
        raise Refused(409, "The dependency build has reached a terminal state.")
    build.cancel(now)
    # There is no word for a cancelled build, so it is as if there had been none (inferred).
    version.build = None
    return Answer(204)


def build_log(world: World, _: Request, model_id: str, version_id: str) -> Answer:
    build = _build(version_of(world, model_id, version_id))
    if build.is_active(world.clock.now()):
        raise Refused(404, "The dependency build is in progress.")
    end = f"ERROR: {build.plan.error}" if build.plan.error else "Successfully built the image"
    lines = "".join(f"Step {n}/40 : RUN pip install\n" for n in range(1, 41)) + end + "\n"
    return Answer(200, log_archive(lines), "application/gzip")


def _build(version: Version) -> Work:
    if version.build is None:
        raise Refused(422, "The dependency build has not started.")
    return version.build


def _build_shown(world: World, request: Request, version: Version, build: Work) -> dict[str, Any]:
    now = world.clock.now()
    word = {"INITIALIZED": "submitted", "RUNNING": "processing", "COMPLETED": "success"}
    path = f"/customModels/{version.model_id}/versions/{version.id}/dependencyBuildLog/"
    ended = not build.is_active(now)
    return {
        "buildStatus": build.plan.word or word.get(build.status(now), "failed"),
        "buildStart": world.time(build.created_at),
        "buildEnd": world.time(build.ends_at) if ended else None,
        "buildLogLocation": url(request, path) if ended else None,
    }


# ---------------------------------------------------------------- conversions


def start_conversion(world: World, request: Request, model_id: str, version_id: str) -> Answer:
    version = version_of(world, model_id, version_id)
    given = body_of(request)
    check(given, {"mainProgramItemId": text(least=1)}, "mainProgramItemId")
    main = given["mainProgramItemId"]
    if all(file.id != main for file in version.files.values()):
        raise Refused(422, "The main program is no file of this version.")
    work = world.begin(None, f"conversion of {version_id}")
    conversion = Conversion(main_program=main, work=work)
    base = f"/customModels/{model_id}/versions/{version_id}/conversions"
    work.location = f"{base}/{conversion.id}/"
    version.conversions.append(conversion)
    world.starts[f"convert:{version_id}"] += 1
    return accepted(request, work, conversionId=conversion.id, statusId=work.id)


def list_conversions(world: World, request: Request, model_id: str, version_id: str) -> Answer:
    found = version_of(world, model_id, version_id).conversions[::-1]
    if flag(request, "isLatest"):
        found = found[:1]
    return page(request, found, lambda each: _conversion_shown(world, version_id, each))


def get_conversion(
    world: World, _: Request, model_id: str, version_id: str, conversion_id: str
) -> Answer:
    conversion = _conversion(world, model_id, version_id, conversion_id)
    return Answer.json(_conversion_shown(world, version_id, conversion))


def stop_conversion(
    world: World, _: Request, model_id: str, version_id: str, conversion_id: str
) -> Answer:
    conversion = _conversion(world, model_id, version_id, conversion_id)
    now = world.clock.now()
    if not conversion.work.is_active(now):
        raise Refused(422, "The given conversion is not active.")
    conversion.should_stop = True
    conversion.work.cancel(now)
    return Answer(204)


def _conversion(world: World, model_id: str, version_id: str, conversion_id: str) -> Conversion:
    version = version_of(world, model_id, version_id)
    found = next((each for each in version.conversions if each.id == conversion_id), None)
    if found is None:
        raise Refused(404, "Conversion not found.")
    return found


def _conversion_shown(world: World, version_id: str, conversion: Conversion) -> dict[str, Any]:
    now = world.clock.now()
    work = conversion.work
    status = work.status(now)
    succeeded = None if work.is_active(now) else status == "COMPLETED"
    shown: dict[str, Any] = {
        "id": conversion.id,
        "customModelVersionId": version_id,
        "created": world.time(work.created_at),
        "mainProgramItemId": conversion.main_program,
        "conversionInProgress": None if status == "INITIALIZED" else work.is_active(now),
        "conversionSucceeded": succeeded,
        "shouldStop": conversion.should_stop,
        "logMessage": None if succeeded is None else f"NOTE: converted\n{work.plan.error}".strip(),
    }
    if conversion.flags is not None:
        names = ("conversionInProgress", "conversionSucceeded", "shouldStop")
        shown |= zip(names, conversion.flags, strict=True)
    if succeeded:
        made = {"outputDatasets": ["WORK.SCORED"], "outputColumns": [["id", "score"]]}
        shown["generatedMetadata"] = made
    return shown


# ---------------------------------------------------------------- feature impact


def start_impact(world: World, request: Request, model_id: str, version_id: str) -> Answer:
    version = version_of(world, model_id, version_id)
    given = body_of(request)
    check(given, {"rowCount": integer(10, 100_000)})
    now = world.clock.now()
    if version.impact is not None and version.impact.is_active(now):
        raise Refused(
            404,
            "Feature impact has already been submitted.",
            errorName="JobAlreadyAdded",
            jobId=version.impact.id,
        )
    rows = _training_rows(world, version)
    if given.get("rowCount", 0) > rows:
        raise Refused(422, f"rowCount exceeds the {rows} rows of the training data.")
    path = f"/customModels/{model_id}/versions/{version_id}/featureImpact/"
    version.impact = world.begin(
        "CustomModelFeatureImpact", f"feature impact of {version_id}", location=path
    )
    version.impact_rows = given.get("rowCount")
    world.starts[f"feature_impact:{version_id}"] += 1
    return accepted(request, version.impact, statusId=version.impact.id)


def get_impact(world: World, _: Request, model_id: str, version_id: str) -> Answer:
    version = version_of(world, model_id, version_id)
    _training_rows(world, version)
    now = world.clock.now()
    impact = version.impact
    if impact is not None and impact.is_active(now):
        raise Refused(422, "Feature impact job is in progress for custom model.")
    if impact is None or impact.status(now) != "COMPLETED":
        raise Refused(404, "No feature impact data found for custom model.")
    items = [
        {
            "featureName": name,
            "impactNormalized": share,
            "impactUnnormalized": round(share * 0.31, 4),
            "parentFeatureName": None,
            "redundantWith": None,
        }
        for name, share in (("tenure", 1.0), ("plan", 0.62), ("region", 0.08), ("noise", -0.01))
    ]
    return Answer.json(
        {
            "count": len(items),
            "featureImpacts": items,
            "next": None,
            "previous": None,
            "ranRedundancyDetection": True,
            "rowCount": version.impact_rows,
            "shapBased": False,
        }
    )


def start_image_impact(world: World, request: Request, image_id: str) -> Answer:
    """Deprecated, as `get_image_impact` is: the routes of a version do the same."""
    answer = start_impact(world, request, *_of_image(world, image_id))
    return replace(answer, headers={**answer.headers, **_DEPRECATED})


def get_image_impact(world: World, request: Request, image_id: str) -> Answer:
    answer = get_impact(world, request, *_of_image(world, image_id))
    return replace(answer, headers={**answer.headers, **_DEPRECATED})


def _of_image(world: World, image_id: str) -> tuple[str, str]:
    """Model and version of an image, which a test made."""
    test = next((each for each in world.tests.values() if each.image_id == image_id), None)
    if test is None:
        raise Refused(404, "No such image.")
    return test.model.id, test.version.id


def _training_rows(world: World, version: Version) -> int:
    """Raises Refused (422) where feature impact has nothing to compute on."""
    model = world.models[version.model_id]
    if model.given["customModelType"] != "inference":
        raise Refused(422, "The custom model is not an inference model.")
    data = version.training_data or model.training_data
    works = (version.assigning, model.assigning)
    now = world.clock.now()
    if data is None or any(work is not None and work.is_active(now) for work in works):
        raise Refused(422, "Training data is not assigned.")
    return world.datasets[data["datasetId"]].rows


# ---------------------------------------------------------------- prediction explanations


def explain_version(world: World, request: Request, model_id: str, version_id: str) -> Answer:
    version = version_of(world, model_id, version_id)
    if world.models[model_id].given["customModelType"] != "inference":
        raise Refused(422, "The custom model is not valid for prediction explanations.")
    _training_rows(world, version)
    path = f"/customModels/{model_id}/versions/{version_id}/"
    # Not one of the documented types: which one it has is not said.
    work = world.begin(None, "", location=path)
    world.starts[f"explain:{version_id}"] += 1
    return accepted(request, work)


def explain_model(world: World, request: Request) -> Answer:
    """The deprecated route, which names the version in its body."""
    given = body_of(request)
    names = ("customModelId", "customModelVersionId")
    check(given, dict.fromkeys(names, text(least=1)), *names)
    return explain_version(world, request, given["customModelId"], given["customModelVersionId"])
