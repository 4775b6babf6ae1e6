"""The demo's departments, the people who sign in, and their clients."""

from dataclasses import dataclass
from datetime import time

from accounts.actions.people import Profile
from accounts.models import User
from clients.actions import DepartmentSettings, StatusSettings
from clients.models import ClientStatus

PASSWORD = "clientcomm-demo"  # noqa: S105  # printed on the sign-in page of a demo; works with DEBUG only
DEMO = "demo@clientcomm.test"
COLLEAGUE = "colleague@clientcomm.test"
OTHER = "other@clientcomm.test"

# A demo is looked at at any hour, so that this office texts around the clock; the other one asks in the evening.
SALT_LAKE = DepartmentSettings(
    "Salt Lake Pretrial Services", "+18015550100", "America/Denver", opens_at=time.min, closes_at=time.max
)
DENVER = DepartmentSettings("Denver County Probation", "+13035550100", "America/Denver")
EXTRA_STATUS = StatusSettings("Monitoring", 2, colour=ClientStatus.Colour.BLUE)

STAFF = (
    (SALT_LAKE, Profile(DEMO, "Sam Ortega", User.Role.CASE_MANAGER, desk_phone="+18015550199")),
    (SALT_LAKE, Profile(COLLEAGUE, "Priya Nair", User.Role.CASE_MANAGER)),
    (SALT_LAKE, Profile("supervisor@clientcomm.test", "Ruth Lindqvist", User.Role.SUPERVISOR)),
    (SALT_LAKE, Profile("admin@clientcomm.test", "Walter Boone", User.Role.ADMINISTRATOR)),
    (DENVER, Profile(OTHER, "Grace Okafor", User.Role.CASE_MANAGER)),
)


@dataclass(frozen=True)
class Person:
    """A client, and under which name the conversation stands in conversations.py; "" was never contacted."""

    first_name: str
    last_name: str
    number: str
    talk: str = ""
    status: str = "Active"
    id_number: str = ""
    language: str = ""
    notes: str = ""


# The numbers that end in 0102 to 0105 always behave in one way at the pocket phones: one client stands on each.
DEMO_CLIENTS = (
    Person(
        "Maria", "Lopez", "+13855550142", "running late", id_number="PT-2291", notes="Works nights. Call after 2 pm."
    ),
    Person("DeShawn", "Carter", "+18015550117", "asks about address", id_number="PT-2304"),
    Person("Nguyễn Thị", "Phương", "+13855550163", "thanks in two lines", id_number="PT-2287", language="Vietnamese"),
    Person("José Luis", "Hernández", "+18015550171", "in Spanish", id_number="PT-2310", language="Spanish"),
    Person("Emily", "Johnson", "+14355550108", "unread twice", id_number="PT-2315"),
    Person("Tevita", "Fonua", "+18015550126", "long talk", id_number="PT-1987", notes="Weekly check-in on Mondays."),
    Person("Kateryna", "Shevchenko", "+13855550134", "class reminder", language="Ukrainian"),
    Person("Marcus", "Whitehorse", "+14355550151", "phone was off long ago", notes="Often out of reach for a day."),
    Person("Latoya", "Jackson", "+18015550102", "phone off", id_number="PT-2266"),
    Person("Brandon", "Miller", "+13855550103", "fails", id_number="PT-2271"),
    Person("Soraya", "Haddad", "+18015550104", "", notes="Gave this number at intake; never texted yet."),
    Person("Harold", "Jensen", "+14355550105", "landline", notes="Lives with his sister, who answers the phone."),
    Person("Crystal", "Begay", "+15055550119", "opted out", notes="Reach her by mail or through her sister."),
    Person("Ahmed", "Al-Masri", "+13855550177", "opted out, one waiting", id_number="PT-2249"),
    Person("يوسف", "الحداد", "+18015550138", "in Arabic", id_number="PT-2298", language="Arabic"),
    Person("", "Thompson", "+18015550145", "who is this", notes="First name missing on the referral."),
    Person(
        "Alexandria-Josephine",
        "Featherstonehaugh-Montgomery",
        "+13855550159",
        "long text",
        id_number="PT-2277-2026-0001-A",
    ),
    Person("Wei", "Zhang", "+18015550162", "link"),
    Person("Anahí", "Gutiérrez", "+13855550118", "emoji", language="Spanish"),
    Person("Tyler", "Anderson", "+14355550173", "sent lately"),
    Person("Fatima", "Yusuf", "+18015550184", "never confirmed", language="Somali"),
    Person("Robert", "O'Brien", "+13855550186", "number gone", notes="New number wanted."),
    Person("Keisha", "Washington", "+18015550155", "blocked"),
    Person("Sione", "Tuipulotu", "+13855550127", "monitoring", "Monitoring", id_number="PT-2104"),
    Person(
        "Olga", "Petrova", "+18015550133", "monitoring, quiet", "Monitoring", id_number="PT-2098", language="Russian"
    ),
    Person("Dylan", "Christensen", "+14355550147", "job", "Monitoring"),
    Person("Aaliyah", "Robinson", "+13855550169", "back in again"),
    Person("Miguel", "Ángel Ruiz", "+18015550192", "court moved"),
    Person("Hannah", "Kim", "+13855550111", "ride"),
    Person("Joseph", "Yazzie", "+19285550122", "out of state"),
    Person("Brittany", "Olsen", "+18015550149", "childcare"),
    Person("Samuel", "Tesfaye", "+13855550194", "one question", language="Tigrinya"),
    Person("Chloé", "Dubois", "+18015550166", "one reminder"),
    Person(
        "Derek", "Hansen", "+14355550181", "closed", "Inactive", id_number="PT-1820", notes="Case closed in spring."
    ),
    Person("Rosa", "Castillo", "+13855550137", "closed, thanks", "Inactive", id_number="PT-1793", language="Spanish"),
    Person("William", "Nakai", "+15055550158", "closed, old", "Inactive", id_number="PT-1650"),
    Person("Jasmine", "Patel", "+18015550174", notes="Intake on Thursday."),
    Person("Trevor", "Smith", "+13855550196", id_number="PT-2322"),
    Person("Ludmila", "Novotná", "+14355550129", id_number="PT-2323", language="Czech"),
    Person("Isaiah", "Brown", "+18015550188", id_number="PT-2324", notes="Prefers texts in the morning."),
)

COLLEAGUE_CLIENTS = (
    Person("Vanessa", "Morales", "+13855550144", "colleague, unread", id_number="PT-2240"),
    Person("Kevin", "Larsen", "+18015550121", "one reminder"),
    Person("Amina", "Diallo", "+14355550136", "ride", language="French"),
    Person("Patrick", "Sullivan", "+13855550152", "job", "Monitoring"),
    Person("Mele", "Vainikolo", "+18015550179", "closed, thanks", "Inactive"),
    Person("Noah", "Bennett", "+13855550190"),
)

OTHER_CLIENTS = (
    Person("Carlos", "Mendoza", "+17205550113", "denver, unread", id_number="DP-8841", language="Spanish"),
    Person("Ashley", "Brooks", "+13035550141", "one question", id_number="DP-8850"),
    Person("Dmitri", "Volkov", "+17205550168", "court moved"),
    Person("Zainab", "Hassan", "+13035550176", "class reminder", "Monitoring"),
    Person("George", "Stone", "+19705550124"),
)

CASELOADS = {DEMO: DEMO_CLIENTS, COLLEAGUE: COLLEAGUE_CLIENTS, OTHER: OTHER_CLIENTS}
LONG_TALK_NUMBER = "+18015550126"

# For caseloads of thousands (scale.py): words between blanks.
FIRST_NAMES = (
    "Aaron Abigail Adrián Aisha Alan Alma Amir Ana Andre Angela Anthony Ayumi Beatriz Benjamin Bianca Brian "
    "Camila Carl Catherine Chidi Claire Daniel Darnell Deborah Diego Dolores Edward Elena Elijah Esther Faith "
    "Felix Gabriela Gary Gloria Hamza Heather Hugo Ibrahim Inés Irene Jacob Jada Javier Jerome Joy Juan Julia Kai "
    "Karen Khadija Kyle Laura Leila Leon Linda Luis Malik Marta Mateo Mei Michael Mina Nadia Nathan Nina Omar "
    "Oscar Paula Quinn Rachel Rafael Renée Ricardo Sara Sean Simone Sofía Stephen Talia Thomas Uma Victor Wanda "
    "Xavier Yara Zoe"
)
LAST_NAMES = (
    "Abbott Acosta Adams Aguilar Ali Allen Álvarez Bailey Baker Banda Barnes Bell Benally Blackwood Bowen "
    "Campbell Cao Castro Chen Clark Cohen Cruz Davis Delgado Diaz Edwards Eriksen Evans Fernández Fisher Flores "
    "Foster Garcia Gomez Gonzales Gray Green Gupta Hall Harris Hill Hoang Hughes Ivanov Jackson Jones Kaur Kelly "
    "King Kowalski Lee Lewis Long Martin Martínez Mensah Moore Murphy Nelson Nguyen Okeke Ortiz Park Parker Perez "
    "Phillips Ramos Reed Reyes Rivera Romero Ross Sánchez Scott Singh Sorensen Tanaka Taylor Torres Tran Turner "
    "Vargas Walker Ward White Wood Wright Young Zimmerman"
)
