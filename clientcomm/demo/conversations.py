"""What the demo's case managers and clients write to each other, by the name that people.py gives each conversation.

Plain and kind, as texts in this work are: a date, a place, what to bring, and an answer to a worry.
"""

from clientcomm.demo.lines import Line, start, stop, them, us, us_failed, us_held
from clientcomm.demo.long_talk import LONG_TALK
from messaging.failures import FailureReason, HoldReason
from messaging.models import Message

SENT = Message.State.SENT

UNREAD: dict[str, list[Line]] = {
    "running late": [
        us("6d 2h", "Hi Maria, this is Sam at Pretrial Services. You can text me at this number any time."),
        them("6d 1h", "Ok thank you"),
        us(
            "2d 3h",
            "Reminder: court is Tuesday at 9:00 am, Matheson Courthouse, room S35. Please come 15 minutes early.",
        ),
        them("2d 2h 40m", "I will be there"),
        us("40m", "Good morning Maria. Are you on your way to our meeting?"),
        them("6m", "Running 10 min late, the bus was full. Sorry!", unread=True),
    ],
    "asks about address": [
        us("4d 1h", "Hi DeShawn, please tell me when you have moved, so that court letters reach you."),
        them("4d", "Will do, moving this weekend"),
        them("25m", "Moved. Do you need the new address by text or should I bring the lease", unread=True),
    ],
    "thanks in two lines": [
        us("5d 4h", "Your next appointment is on the 14th at 2:30 pm, second floor, room 210."),
        them("1h 10m", "Thank you.\nDo I bring the paper from the clinic?", unread=True),
    ],
    "in Spanish": [
        us("8d 2h", "Hola José Luis, soy Sam, su oficial de servicios previos al juicio. ¿Le llega este mensaje?"),
        them("8d 1h 30m", "Sí, buenos días"),
        us("3d", "Su audiencia es el lunes a las 10:30 de la mañana en 450 S State St. Habrá intérprete."),
        them("2h 5m", "¿Puedo llevar a mi hija? No tengo con quién dejarla mañana", unread=True),
    ],
    "unread twice": [
        us("1d 2h", "Hi Emily, how did the first week of class go?"),
        them("3h 2m", "Pretty good", unread=True),
        them("3h 1m", "They said I need a letter from you with my case number on it, can you send one?", unread=True),
    ],
    "long text": [
        us("9d", "Thank you for calling today. If anything is unclear, write it to me here and I will answer."),
        them(
            "5h",
            "Hello, I have a few questions before the hearing. First, my employer changed my shift and I now work "
            "until three on weekdays, so the morning check-ins are hard for me; could they be after four, or by "
            "phone? Second, the letter says to bring proof of residence, but the lease is in my aunt's name: is a "
            "utility bill with my name on it enough, or should she write something? Third, I was told the fee "
            "could be paid in parts. I can pay 40 now and the same every two weeks. Last, I would like to visit "
            "my mother in Idaho from the 20th to the 22nd and I don't want to do anything wrong. Whom do I ask? "
            "Thank you for your patience.",
            unread=True,
        ),
    ],
    "colleague, unread": [
        us("2d", "Hi Vanessa, this is Priya. Please bring your work schedule on Friday."),
        them("50m", "Ok. Friday 11 right?", unread=True),
    ],
    "denver, unread": [
        us("3d", "Hi Carlos, Grace from Denver Probation here. Your review is on the 9th at 1 pm."),
        them("1h 30m", "Can we do it by phone, my car is in the shop", unread=True),
    ],
}

DELIVERED: dict[str, list[Line]] = {
    "class reminder": [
        us("10d 3h", "Your class begins on Monday at 6 pm, 2001 S State St, north entrance. Bring a photo ID."),
        them("10d 2h", "ok"),
        us("1d 4h", "Class tonight at 6 pm. It is fine to come a little early."),
    ],
    "in Arabic": [
        us("7d 1h", "مرحبا يوسف، موعدك يوم الأربعاء الساعة 9:30 صباحا في مكتبنا. سيكون معنا مترجم."),
        them("7d", "شكرا، سأكون هناك إن شاء الله"),
        us("3d 1h", "See you tomorrow at 9:30 am, room 204. نراك غدا."),
        them("3d", "👍 room 204"),
    ],
    "who is this": [
        us("12d", "Hello, this is Sam Ortega of Salt Lake Pretrial Services. May I ask for your first name?"),
        them("11d 5h", "who gave you this number"),
        us("11d 4h", "It is on the form from your court hearing. You can call the office to check: (801) 555-0100."),
        them("11d 1h", "ok. ill call monday"),
    ],
    "link": [
        us("6d", "The court's calendar is here: https://www.utcourts.gov/cal/ (look for your last name)."),
        them("5d 9h", "Found it, thanks. Thursday 1:30"),
        us("5d 8h", "That's right. Map and parking: https://www.utcourts.gov/courts/."),
    ],
    "emoji": [
        them("4d 2h", "i got the job!! 🎉🎉 start monday 🙌🏽"),
        us("4d 1h", "That is great news, Anahí! 🎉 Please send me the name of the place when you can."),
        them("4d", "bakery on 9th 🥐☕"),
    ],
    "sent lately": [
        us("2d 1h", "Hi Tyler, please come to the office on Wednesday at 3 pm for your check-in."),
        them("2d", "Got it"),
        us("3m", "One more thing for Wednesday: bring the receipt from the testing center.", SENT),
    ],
    "never confirmed": [us("6d 5h", "Hi Fatima, court is on the 21st at 8:30 am, room W42.", SENT)],
    "job": [
        us("14d", "How is the new job going?"),
        them("13d 8h", "Good, they gave me more hours"),
        us("13d 7h", "Glad to hear it. Send me a photo of your schedule when it changes, please."),
        them("8d 2h", "New schedule: Mon-Thu 7-3, Fri off"),
        us("8d 1h", "Thank you. Then we meet on Fridays from now on."),
    ],
    "court moved": [
        us("3d 6h", "Your hearing was moved. New date: Friday the 26th at 1:30 pm, same courtroom."),
        them("3d 5h", "so not tomorrow?"),
        us("3d 4h 50m", "Not tomorrow. Friday the 26th at 1:30 pm."),
        them("3d 4h", "ok good to know, thanks"),
    ],
    "ride": [
        them("5d 3h", "i dont have a ride for thursday"),
        us("5d 2h", "We have bus passes at the front desk. Route 200 stops at the door. Shall I keep one for you?"),
        them("5d 1h 30m", "yes please"),
        us("5d 1h", "It is in an envelope with your name."),
    ],
    "out of state": [
        them("9d 4h", "My uncle passed, funeral is in Chinle on saturday. can I go"),
        us("9d 3h", "I am sorry, Joseph. I will ask today and write to you."),
        us("9d 1h", "You may travel from Friday to Sunday. Please text me when you are back."),
        them("5d 10h", "Back home. Thank you for helping"),
    ],
    "childcare": [
        them("7d 6h", "Is it ok if my mom waits with the baby in the lobby during my appointment"),
        us("7d 5h", "Of course. There is a corner with toys by the window."),
        them("7d 4h", "awesome"),
    ],
    "back in again": [
        us("20d", "Hi Aaliyah, a reminder of your appointment tomorrow at noon."),
        stop("19d 8h"),
        start("16d"),
        us("15d 9h", "Welcome back, Aaliyah. Shall we meet on Tuesday at noon instead?"),
        them("15d 8h", "yes sorry wrong button"),
    ],
    "one question": [
        them("2d 6h", "Which entrance is it"),
        us("2d 5h 30m", "The one on the east side, with the blue door."),
    ],
    "one reminder": [us("1d 1h", "Reminder: your appointment is on Thursday at 10 am. Text me if something comes up.")],
    "monitoring": [
        us("30d", "Hi Sione, this is your monthly check-in. Has your address or your job changed?"),
        them("29d 9h", "No changes"),
        us("2d 7h", "Hi Sione, monthly check-in again. Any changes?"),
        them("2d 6h", "Same job, same place. All good"),
    ],
    "monitoring, quiet": [
        us("45d", "Hi Olga, monthly check-in: please answer with “no changes” or tell me what changed.")
    ],
    "closed": [
        us("120d", "Derek, your case is closed as of today. You did it. I wish you well."),
        them("119d 9h", "thank you sam, could not have done it without the reminders"),
    ],
    "closed, thanks": [
        us("95d", "Your case is closed. You don't need to check in any more."),
        them("94d 5h", "Gracias por todo ❤️"),
    ],
    "closed, old": [us("300d", "Last reminder: your review is tomorrow at 9 am."), them("299d 9h", "ok")],
    "long talk": LONG_TALK,
}

IN_TROUBLE: dict[str, list[Line]] = {
    "phone was off long ago": [
        us_failed("11d 3h", "Reminder: court on Wednesday at 10 am, room 302.", FailureReason.PHONE_OFF),
        us("10d 9h", "Reminder: court today at 10 am, room 302. Please text me that you got this."),
        them("10d 8h", "got it, my phone was dead"),
    ],
    "phone off": [
        us("8d", "Hi Latoya, your appointment is next Thursday at 4 pm."),
        us_failed("1d 3h", "Reminder: your appointment is tomorrow at 4 pm.", FailureReason.PHONE_OFF),
    ],
    "fails": [
        them("6d", "can u text me the date again"),
        us_failed("5d 12h", "Your next court date is the 18th at 8:30 am.", FailureReason.UNEXPLAINED),
    ],
    "landline": [
        us_failed("13d", "Hello Mr. Jensen, this is Sam at Pretrial Services.", FailureReason.NOT_A_MOBILE),
    ],
    "number gone": [
        us("25d", "Hi Robert, please call me before Friday."),
        us_failed(
            "2d 9h", "Hi Robert, we did not reach you by phone. Is this still you?", FailureReason.UNKNOWN_NUMBER
        ),
    ],
    "blocked": [
        us_failed("3d 2h", "Hi Keisha, this is Sam at Pretrial Services. Court is on Monday.", FailureReason.BLOCKED),
    ],
    "opted out": [
        us("18d", "Hi Crystal, your appointment is on Friday at 9 am."),
        us("16d", "Reminder: your appointment is today at 9 am."),
        stop("15d 12h"),
    ],
    "opted out, one waiting": [
        us("5d", "Hi Ahmed, please bring your ID card on Thursday."),
        stop("1d 5h"),
        us_held("1d 5h", "Thursday works. See you at 2 pm.", HoldReason.OPTED_OUT),
    ],
}

CONVERSATIONS = UNREAD | DELIVERED | IN_TROUBLE
