"""What the wheel holds: the package, and as `w365.app` what stands beside it here: app.py, its pages, its settings."""

from setuptools import find_packages, setup

setup(
    script_name="setup.py",  # and so it is none of the modules beside app.py
    packages=[*find_packages(include=["w365", "w365.*"]), "w365.app", "w365.app.pages"],
    package_dir={"w365.app": ".", "w365.app.pages": "pages"},
    package_data={
        "w365": ["demo/world/*.zip", "matching/lists/*.txt", "ui/scripts/**/*", "ui/static/*"],
        "w365.app": [".streamlit/config.toml", "requirements.lock"],
    },
)
