"""Print the bill of materials as CycloneDX JSON: ``python -m supply.bom > bom.json``."""

from __future__ import annotations

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from supply.packages import licence_of, needs_of, read_lock, read_requirements
from w365 import __version__

VERSION = SchemaVersion.V1_6
_LICENCES = LicenseFactory()


def make_bom() -> Bom:
    """Every package of the lock, with what it needs on this system."""
    program = Component(
        name="w365-provider-accounts",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="w365-provider-accounts",
        licenses=[_LICENCES.make_from_string("Apache-2.0")],
    )
    components = {package.name: _component(package.name, package.version) for package in read_lock().values()}
    bom = Bom(components=components.values())
    bom.metadata.component = program
    direct = read_requirements()
    bom.register_dependency(program, [components[canonicalize_name(requirement.name)] for requirement in direct])
    for name, needs in needs_of(direct).items():
        bom.register_dependency(components[name], [components[need] for need in needs])
    return bom


def _component(name: str, version: str) -> Component:
    purl = PackageURL("pypi", None, name, version)
    licence = _LICENCES.make_from_string(licence_of(name))
    return Component(name=name, version=version, purl=purl, bom_ref=purl.to_string(), licenses=[licence])


def as_json(bom: Bom) -> str:
    return make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string(indent=2)


if __name__ == "__main__":
    print(as_json(make_bom()))
