"""The exports against other people's schemas: CycloneDX 1.6 strict (cyclonedx-python-lib) and the SPDX 3.0.1 model (spdx-python-model).
    exports.py FILE.cyclonedx FILE.spdx
Each also with a field of another type, which the schema must refuse: a validator that accepts everything shows nothing."""
import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
import spdx_python_model


def cyclonedx(text):
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)


def spdx(text):
    model = spdx_python_model.v3_0_1
    objects = model.SHACLObjectSet()
    model.JSONLDDeserializer().deserialize_data(json.loads(text), objects)
    model.JSONLDSerializer().serialize_data(objects)  # a required property that is missing is an error here
    packages = list(objects.foreach_type("ai_AIPackage"))
    assert len(packages) == 1, "no AI package"
    return packages[0]


def main():
    bom = open(sys.argv[1], encoding="utf-8").read()
    error = cyclonedx(bom)
    assert error is None, error
    broken = json.loads(bom)
    broken["declarations"]["claims"][0]["evidence"] = 7
    assert cyclonedx(json.dumps(broken)) is not None, "the validator refuses nothing"
    document = open(sys.argv[2], encoding="utf-8").read()
    package = spdx(document)
    assert package.ai_limitation
    for key, value in (("ai_metric", 7), ("creationInfo", None)):
        broken = json.loads(document)
        element = next(e for e in broken["@graph"] if e["type"] == "ai_AIPackage")
        element.pop(key)
        if value is not None:
            element[key] = value
        try:
            spdx(json.dumps(broken))
        except Exception:  # whatever the bindings raise
            continue
        raise AssertionError(f"the SPDX bindings accept a package with {key} {value}")
    print("exports: valid CycloneDX 1.6 and SPDX 3.0.1; broken ones are refused")


if __name__ == "__main__":
    main()
