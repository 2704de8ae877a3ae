"""The rare cases, one customer each: what a mapping tool meets once a year and must not stumble over."""

from __future__ import annotations

from dataclasses import replace

from w365.demo.fiction_builder import Builder

ADVISED = 30
SUBSIDIARIES = 5


def add_cases(builder: Builder) -> None:
    """Add every written-out case. Each can be found by its name in the grid."""
    _adviser(builder)
    _holding(builder)
    _nobody_but_onmicrosoft(builder)
    _free_mail(builder)
    _duplicates(builder)
    _international_names(builder)
    _departed_and_not_reseller(builder)
    _names_that_break_screens(builder)
    _odd_contacts(builder)


def _adviser(builder: Builder) -> None:
    """A tax adviser is a contact of thirty customers, and a customer too: the domain says nothing about anybody."""
    builder.add_customer("Ledgerquay & Moss Advisers LLP", "ledgerquay-moss.co.uk", country="GB")
    builder.add_account("Ledgerquay & Moss", "partners@ledgerquay-moss.co.uk", website="ledgerquay-moss.co.uk")
    for _ in range(ADVISED):
        company = builder.company()
        builder.add_customer(company.name, company.domain, country=company.country.code)
        builder.add_account(
            company.name,
            builder.address(company.domain),
            builder.address("ledgerquay-moss.co.uk"),
            city=company.city,
            country=company.country.name,
        )


def _holding(builder: Builder) -> None:
    """A holding and its subsidiaries write from one domain."""
    domain = "alderquill-holding.de"
    builder.add_customer("Alderquill Holding AG", domain, "alderquill-gruppe.de", country="DE")
    parent = builder.add_account("Alderquill Holding AG", builder.address(domain), website=f"www.{domain}")
    for name in ("Energie", "Immobilien", "Logistik", "Pflege", "Technik")[:SUBSIDIARIES]:
        builder.add_account(f"Alderquill {name} GmbH", builder.address(domain), parent_id=parent.id, country="Germany")


def _nobody_but_onmicrosoft(builder: Builder) -> None:
    builder.add_customer("Sorrelmere Pet Supplies LLC", initial="NETORGFT48213377.onmicrosoft.com")
    builder.add_account("Sorrelmere Pet Supplies", "hello@sorrelmere-pets.com", website="sorrelmere-pets.com")


def _free_mail(builder: Builder) -> None:
    builder.add_customer("Wrenholm Upholstery Ltd", "wrenholm-upholstery.co.uk", country="GB")
    builder.add_account("Wrenholm Upholstery", "wrenholm.upholstery@gmail.com", "wrenholm@outlook.com")


def _duplicates(builder: Builder) -> None:
    builder.add_customer("Tarnwick Coffee Roasters Inc.", "tarnwick-coffee.com")
    builder.add_account("Tarnwick Coffee Roasters Inc.", "orders@tarnwick-coffee.com", city="Portland")
    builder.add_account("Tarnwick Coffee Roasters", "owner@tarnwick-coffee.com", city="Portland")


def _international_names(builder: Builder) -> None:
    """Domains beyond ASCII: the provider lists the A-label, people write the other form, and the reverse."""
    for name, written in (
        ("Bäckerei Sonnental GmbH", "bäckerei-sonnental-demo.de"),
        ("Fjälltur Söderholm AB", "söderholm-fjälltur.se"),
        ("Straßenbau Großwieden KG", "straßenbau-großwieden.de"),
    ):
        builder.add_customer(name, _a_label(written), country="DE")
        builder.add_account(name, f"info@{written}")
    builder.add_customer("Château Lindmère SARL", "château-lindmère.fr", country="FR")
    builder.add_account("Chateau Lindmere", f"cave@{_a_label('château-lindmère.fr')}")


def _a_label(name: str) -> str:
    # As today's registries write it: a sharp s stays itself.
    labels = name.split(".")
    return ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in labels)


def _departed_and_not_reseller(builder: Builder) -> None:
    for name, label, change in (
        ("Cindervern Archive Services Inc.", "cindervern-archive", {"departed": True}),
        ("Birkcrest Consulting Inc.", "birkcrest-consulting", {"relationship": "advisor"}),
        ("Ulvstead Charity Shops Inc.", "ulvstead-charity", {"relationship": "none"}),
    ):
        customer = builder.add_customer(name, f"{label}.com")
        builder.customers[-1] = replace(customer, **change)
        builder.add_account(name, f"office@{label}.com")


def _names_that_break_screens(builder: Builder) -> None:
    """Names as long as the provider allows, from right to left, and such as look like code to some program."""
    long = ("The Very Long Established And Worshipful Company Of Instrument Makers And Menders " * 4)[:254] + "X"
    for number, name in enumerate(
        (
            long,
            "شركة مرسى الضوء للتجارة",
            "מאפיית אור הנמל בע״מ",
            "株式会社ハーバーライト",
            "=1+1 Analytics Ltd",
            "<b>Bold</b> & Partners",
            "O'Quillan's :red[Bar] $x$",
            "@Home Care",
            "Emoji Lab 🧪 GmbH",
        )
    ):
        domain = f"unusual-name-{number}-demo.com"
        builder.add_customer(name, domain)
        builder.add_account(name, f"contact@{domain}")


def _odd_contacts(builder: Builder) -> None:
    """Contacts below a contact, and below nothing."""
    account = builder.add_account("Quillhaven Events Ltd", "events@quillhaven-events.co.uk")
    builder.add_contact(builder.contacts[-1].id, "assistant@quillhaven-office.co.uk", kind="contact")
    builder.add_contact("", "somebody@nobody-in-particular.com")
    builder.add_contact(account.id, "")
