"""The words the fictional companies are made of. Nobody real is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STEM_BEGINNINGS = (
    "Nord", "Kestrel", "Oster", "Bright", "Halv", "Elder", "Fern", "Gran", "Hazel", "Iron", "Juni", "Lind", "Marl",
    "Ravn", "Sorrel", "Tarn", "Ulv", "Vesper", "Wren", "Yarrow", "Zephyr", "Quill", "Amber", "Birk", "Cinder",
)  # fmt: skip
STEM_ENDINGS = (
    "vik", "moor", "quay", "vern", "haven", "berg", "wick", "stead", "dal", "mere", "holm", "crest", "lund", "thorpe",
)  # fmt: skip
TRADES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "logistics": "Logistics", "solar": "Solar", "bakery": "Bakery", "dental": "Dental Care", "joinery": "Joinery",
        "brewery": "Brewery", "engineering": "Engineering", "travel": "Travel", "textiles": "Textiles",
        "printing": "Printing", "insurance": "Insurance Brokers", "garden": "Garden Design", "school": "Music School",
    },
    "de": {
        "logistics": "Logistik", "solar": "Solartechnik", "bakery": "Bäckerei", "dental": "Zahnärzte",
        "joinery": "Schreinerei", "brewery": "Brauerei", "engineering": "Maschinenbau", "travel": "Reisen",
        "textiles": "Textilien", "printing": "Druckerei", "insurance": "Versicherungsmakler", "garden": "Gartenbau",
        "school": "Musikschule",
    },
    "fr": {
        "logistics": "Logistique", "solar": "Énergie Solaire", "bakery": "Boulangerie", "dental": "Soins Dentaires",
        "joinery": "Menuiserie", "brewery": "Brasserie", "engineering": "Ingénierie", "travel": "Voyages",
        "textiles": "Textiles", "printing": "Imprimerie", "insurance": "Assurances", "garden": "Paysages",
        "school": "École de Musique",
    },
    "nl": {
        "logistics": "Logistiek", "solar": "Zonnepanelen", "bakery": "Bakkerij", "dental": "Tandartsen",
        "joinery": "Timmerwerk", "brewery": "Brouwerij", "engineering": "Techniek", "travel": "Reizen",
        "textiles": "Textiel", "printing": "Drukkerij", "insurance": "Verzekeringen", "garden": "Tuinen",
        "school": "Muziekschool",
    },
    "sv": {
        "logistics": "Logistik", "solar": "Solenergi", "bakery": "Bageri", "dental": "Tandvård", "joinery": "Snickeri",
        "brewery": "Bryggeri", "engineering": "Teknik", "travel": "Resor", "textiles": "Textil", "printing": "Tryckeri",
        "insurance": "Försäkring", "garden": "Trädgård", "school": "Musikskola",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Country:
    """Where a company sits: its language, suffix, legal forms and cities."""

    code: str
    name: str
    language: str
    suffix: str
    forms: tuple[str, ...]
    cities: tuple[str, ...]
    weight: int


COUNTRIES = (
    Country("US", "United States", "en", "com", ("Inc.", "LLC", "Corp."), ("Portland", "Austin", "Columbus"), 20),
    Country("GB", "United Kingdom", "en", "co.uk", ("Ltd", "Limited", "LLP"), ("Leeds", "Bristol", "Glasgow"), 22),
    Country("DE", "Germany", "de", "de", ("GmbH", "GmbH & Co. KG", "AG"), ("Kassel", "Bremen", "München"), 20),
    Country("FR", "France", "fr", "fr", ("SARL", "SAS", "S.A."), ("Nantes", "Lyon", "Orléans"), 9),
    Country("NL", "Netherlands", "nl", "nl", ("B.V.", "N.V."), ("Utrecht", "Breda", "Zwolle"), 9),
    Country("SE", "Sweden", "sv", "se", ("AB",), ("Uppsala", "Malmö", "Lund"), 6),
    Country("CH", "Switzerland", "de", "ch", ("AG", "GmbH", "Sàrl"), ("Bern", "Chur", "Zürich"), 6),
    Country("AU", "Australia", "en", "com.au", ("Pty Ltd",), ("Hobart", "Perth", "Cairns"), 8),
)
SISTER_SUFFIXES = {"com": "net", "co.uk": "com", "de": "com", "fr": "com", "nl": "eu", "se": "com", "ch": "com"}
FIRST_NAMES = (
    "Ada", "Bo", "Chiara", "Dan", "Elif", "Finn", "Gita", "Hugo", "Ines", "Jonas", "Kaya", "Lars", "Mina", "Noor",
    "Otto", "Paula", "Quinn", "Rosa", "Sven", "Tara", "Umar", "Vera", "Will", "Yuki", "Zoé",
)  # fmt: skip
LAST_NAMES = (
    "Albers", "Bianchi", "Castel", "Dunmore", "Ekström", "Fielding", "Grau", "Hale", "Ivers", "Jansen", "Keller",
    "Lowell", "Marsh", "Norling", "Okafor", "Petit", "Quist", "Reyes", "Sandell", "Thorne", "Ueda", "Vermeer", "Wolff",
)  # fmt: skip
FREE_MAIL = ("gmail.com", "outlook.com", "hotmail.com", "gmx.de", "web.de", "yahoo.com", "orange.fr", "icloud.com")
OFFERS = (
    ("Microsoft 365 Business Basic", "CFQ7TTC0LH18:0001:CFQ7TTC0K971"),
    ("Microsoft 365 Business Standard", "CFQ7TTC0LDPB:0001:CFQ7TTC0K5DW"),
    ("Microsoft 365 Business Premium", "CFQ7TTC0LCHC:0002:CFQ7TTC0K6QR"),
    ("Exchange Online (Plan 1)", "CFQ7TTC0LH16:0001:CFQ7TTC0K39F"),
    ("Microsoft 365 E3", "CFQ7TTC0LFLX:0001:CFQ7TTC0KZ1P"),
    ("Power BI Pro", "CFQ7TTC0HL8W:0001:CFQ7TTC0J203"),
)
