"""The vocabulary of the sample company: a design and print studio, its clients, products, suppliers and expense categories.

Names are made up and addresses are example.com/org, apart from what is meant to hurt: accents, CJK, apostrophes, colons,
leading blanks, names that occur twice, names that are missing, and one that is too long for QuickBooks.
"""

from typing import NamedTuple


class ClientText(NamedTuple):
    """A client as somebody typed it."""

    organization: str
    first_name: str
    last_name: str
    email: str


class ItemText(NamedTuple):
    """A product: `goods` are taxed at the reduced rate where there is one, and are what the US taxes."""

    name: str
    unit_cost: str
    sku: str | None
    description: str
    goods: bool = False


CLIENTS = (
    ClientText("Harbour & Pine Interiors", "Maya", "Okafor", "maya@harbourpine.example.com"),
    ClientText("Northwind Traders", "Ellen", "Fraser", "ellen@northwind.example.com"),
    ClientText("Northwind Traders", "Piotr", "Nowak", "piotr@northwind.example.org"),  # the same name, another company
    ClientText("", "John", "Smith", "john.smith@example.com"),
    ClientText("", "John", "Smith", "jsmith1974@example.org"),  # the same name, another person
    ClientText("Société générale d'arpentage Brûlé", "Élodie", "Brûlé", "elodie@arpentage.example.com"),
    ClientText("Boulangerie L'Étoile du Nord", "François", "Lefèvre", "francois@etoile.example.com"),
    ClientText("株式会社さくら出版", "健太", "佐藤", "sato@sakura.example.com"),
    ClientText("李娜工作室", "娜", "李", "lina@studio.example.org"),
    ClientText("O'Connor & Sons Roofing", "Declan", "O'Connor", "declan@oconnor.example.com"),
    ClientText("Studio: North", "Astrid", "Lindqvist", "astrid@studionorth.example.com"),
    ClientText("  Maple Leaf Dental", " Priya", "Raman ", "priya@mapledental.example.com"),
    ClientText("ACME Ltd", "", "", "accounts@acme.example.com"),
    ClientText("Acme Ltd", "", "", "billing@acme.example.org"),  # differs in capitals only
    ClientText("", "", "", "orders@nameless.example.com"),
    ClientText("Bright Path Tutoring", "", "", ""),
    ClientText("", "Søren", "Ødegård", ""),
    ClientText("Inkwell Paper Supply", "", "", "hello@inkwell.example.com"),  # is also a supplier
    ClientText("Müller & Söhne Präzisionsteile", "Jürgen", "Müller", "j.mueller@praezision.example.com"),
    ClientText("Café Zoë", "Zoë", "van der Berg", "zoe@cafezoe.example.com"),
    ClientText(
        "The Greater Riverside Association for the Preservation of Historic Bridges, Mills, Weirs and Towpaths (Northern Chapter)",
        "Winifred",
        "Ashcombe-Featherstonehaugh",
        "w.ashcombe@riverside.example.org",
    ),
    ClientText("Quill\tand Page", "Tomasz", "Wójcik", "tomasz@quillpage.example.com"),
    ClientText('"Lucky" Dog Walkers', "Ana", "Sánchez", "ana@luckydog.example.com"),
    ClientText("Kestrel Cycles", "Rhys", "Morgan", "rhys@kestrel.example.com"),
    ClientText("Blue Door Physio", "Hannah", "Weiss", "hannah@bluedoor.example.com"),
    ClientText("Tidewater Legal LLP", "Marcus", "Adeyemi", "marcus@tidewater.example.com"),
    ClientText("Copper Kettle Catering", "Siobhan", "Byrne", "siobhan@copperkettle.example.com"),
    ClientText("Redwood Veterinary Clinic", "Daniel", "Cho", "daniel@redwoodvet.example.com"),
    ClientText("Sundial Yoga", "Leila", "Haddad", "leila@sundial.example.com"),
    ClientText("Granite State Builders", "Owen", "Pike", "owen@granite.example.com"),
    ClientText("Lantern Theatre Company", "Beatriz", "Almeida", "bea@lantern.example.org"),
    ClientText("Foxglove Florists", "Imogen", "Clarke", "imogen@foxglove.example.com"),
    ClientText("Ironbridge Robotics", "Arjun", "Mehta", "arjun@ironbridge.example.com"),
    ClientText("Pelican Freight", "Ngozi", "Eze", "ngozi@pelican.example.com"),
    ClientText("Whitecap Sailing School", "Lars", "Holm", "lars@whitecap.example.com"),
    ClientText("Orchard Street Bakery", "Rosa", "Conti", "rosa@orchardst.example.com"),
    ClientText("Summit Accounting", "Grace", "Liu", "grace@summit.example.com"),
    ClientText("Velvet Sound Studios", "Andre", "Baptiste", "andre@velvet.example.com"),
    ClientText("Hollow Oak Brewery", "Tess", "Moran", "tess@hollowoak.example.com"),
    ClientText("Juniper Skincare", "Noor", "Aziz", "noor@juniper.example.com"),
    ClientText("Pinecrest Schools", "Wendy", "Tran", "wendy@pinecrest.example.org"),
    ClientText("Atlas Moving", "Viktor", "Petrov", "viktor@atlas.example.com"),
    ClientText("Cobalt Analytics", "Sana", "Malik", "sana@cobalt.example.com"),
    ClientText("Wren & Co. Architects", "Julian", "Wren", "julian@wren.example.com"),
    ClientText("", "Margaret", "D'Souza", "margaret.dsouza@example.com"),
)

ITEMS = (
    ItemText("Logo design", "1250.00", None, "Three concepts, two rounds of revisions"),
    ItemText("Web design", "95.00", "WEB-HR", "Per hour"),
    ItemText("Web development", "110.00", None, "Per hour"),
    ItemText("Copywriting", "72.50", None, "Per hour"),
    ItemText("Photography", "850.00", "PHOTO-DAY", "Day rate"),
    ItemText("Photo retouching", "18.75", None, "Per image"),
    ItemText("Brand guidelines", "2400.00", None, "Document of up to 40 pages"),
    ItemText("Workshop: half day", "640.00", None, "Up to 12 people"),
    ItemText("Consulting", "145.00", None, "Per hour"),
    ItemText("Hosting", "39.99", "HOST-M", "Per month"),
    ItemText("Domain renewal", "17.49", None, "Per year"),
    ItemText("Maintenance plan", "225.00", None, "Per month"),
    ItemText("Illustration", "88.33", None, "Per hour"),
    ItemText("Translation FR/EN", "0.21", None, "Per word"),
    ItemText("Mise en page", "64.00", None, "À l'heure"),
    ItemText("Mileage", "0.685", None, "Per km"),
    ItemText("Business cards (250)", "68.95", "PRT-BC250", "Matte, 350 g", goods=True),
    ItemText("Flyers A5", "0.117", "PRT-FA5", "Each", goods=True),
    ItemText("Roll-up banner", "139.00", "PRT-RUB", "85 × 200 cm", goods=True),
    ItemText("Poster A2", "12.35", "PRT-PA2", "Each", goods=True),
    ItemText("Sticker sheet", "3.33", None, "Each", goods=True),
    ItemText("Letterhead (500)", "121.80", "PRT-LH500", "", goods=True),
    ItemText("Mugs", "9.95", None, "Printed, each", goods=True),
    ItemText("Tote bags", "11.45", None, "Organic cotton", goods=True),
    ItemText("Shipping", "24.00", None, ""),
)

UNLISTED_LINES = ("Rush fee", "On-site visit", "Archive retrieval")  # lines whose name is no item's

VENDORS = (
    "Inkwell Paper Supply",  # is also a client
    "Metro Print Works",
    "Cloudline Hosting",
    "Pixelforge Software",
    "Le Petit Bistro",
    "Corner Café",
    "Northern Rail",
    "SkyBridge Air",
    "Petro-Nord",
    "O'Malley's Hardware",
    "Civic Utilities",
    "Bell & Sons Telecom",
    "Harrow Insurance",
    "Ledgerwise Accountants",
    "Marché Central",
    "Kōwhai Coffee",
    "Adwell Media",
    "Landmark Properties",
    "City Parking: Zone 4",
    "Postal Depot",
)

# Expense categories, top → children. "Equipment" occurs under two parents; one child has a slash in its name.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "Advertising": (),
    "Car & Truck Expenses": ("Gas", "Mileage", "Repairs", "Parking"),
    "Cost of Goods Sold": ("Materials",),
    "Education and Training": (),
    "Insurance": (),
    "Meals & Entertainment": ("Restaurants/Dining", "Entertainment"),
    "Office Expenses & Postage": ("Office Supplies", "Postage", "Software"),
    "Other Expenses": ("Bank Fees", "Uncategorized Expenses"),
    "Personal": (),
    "Professional Services": ("Accounting", "Legal Fees"),
    "Rent or Lease": ("Equipment", "Real Estate"),
    "Repairs & Maintenance": ("Equipment",),
    "Travel": ("Airfare", "Hotel/Lodging/Motel", "Taxi"),
    "Utilities": ("Gas & Electrical", "Phone"),
}
UNMAPPED_CATEGORY = "Education and Training"

# Category as integration.yaml names it → QuickBooks account.
CATEGORY_ACCOUNTS = {
    "Advertising": "Advertising",
    "Car & Truck Expenses/Gas": "Automobile:Fuel",
    "Car & Truck Expenses/Parking": "Travel",
    "Cost of Goods Sold": "Cost of Goods Sold",
    "Cost of Goods Sold/Materials": "Cost of Goods Sold",
    "Insurance": "Insurance",
    "Meals & Entertainment/Restaurants/Dining": "Meals",
    "Office Supplies": "Office Supplies",
    "Postage": "Office Supplies",
    "Software": "Software",
    "Bank Fees": "Other",
    "Uncategorized Expenses": "Other",
    "Accounting": "Professional Fees",
    "Legal Fees": "Professional Fees",
    "Rent or Lease/Equipment": "Rent",
    "Rent or Lease/Real Estate": "Rent",
    "Repairs & Maintenance/Equipment": "Other",
    "Airfare": "Travel",
    "Hotel/Lodging/Motel": "Travel",
    "Taxi": "Travel",
    "Gas & Electrical": "Utilities",
    "Phone": "Utilities",
}

LONG_DESCRIPTION = (
    "Phase 2: réalisation complète – maquettes, épreuves et corrections (see statement of work, § 4.2). 校正を含む。 ✓ Print-ready. "
) * 16
LONG_LINE_NAME = (
    "Large-format exterior wayfinding signage system, including permits, survey, installation hardware and two years of on-call repairs"
)
