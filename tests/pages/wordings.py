"""What a study says in the states of tests/pages, in the languages that are looked at."""

from typing import Any

RULES: dict[str, Any] = {
    "title": {
        "en": "Everyday questions",
        "hi": "रोज़मर्रा के सवाल",
        "ar": "أسئلة كل يوم",
    },
    "instructions": {
        "en": "You read four answers and pick the one that speaks for you. There is no hurry.",
        "hi": "आप चार जवाब पढ़ेंगे और वह चुनेंगे जो आपकी बात कहता है। कोई जल्दी नहीं है।",
        "ar": "تُعرض عليك أربع إجابات، والمطلوب اختيار ما يعبّر عنك منها. لا داعي للعجلة.",
    },
    "explanation": {
        "rule": "always",
        "min_words": 2,
        "question": {
            "en": "What made you choose this answer?",
            "hi": "आपने यही जवाब क्यों चुना?",
            "ar": "ما الذي جعل هذه الإجابة هي المختارة؟",
        },
        "none_question": {
            "en": "What is missing?",
            "hi": "क्या कमी रह गई?",
            "ar": "ما الذي ينقص؟",
        },
    },
}
NOTICE = {
    "en": "These answers are made up.",
    "hi": "ये जवाब बनावटी हैं।",
    "ar": "هذه الإجابات مصطنعة.",
}
CONSENT = {
    "en": "We ask you to compare answers of a language model.\n\n- It takes about an hour.\n"
    "- You may stop at any time.\n- What you write is stored without your name.",
    "hi": "हम चाहते हैं कि आप एक भाषा-मॉडल के जवाबों की तुलना करें।\n\n"
    "- इसमें क़रीब एक घंटा लगता है।\n- आप जब चाहें रुक सकते हैं।\n- आपका लिखा बिना नाम के रखा जाता है।",
    "ar": "نطلب منك المقارنة بين إجابات نموذج لغوي.\n\n- يستغرق ذلك نحو ساعة.\n"
    "- يمكنك التوقف في أي وقت.\n- يُحفظ ما تكتبه دون اسمك.",
}
ASKED = {
    "en": "My brother wants to borrow money for a shop. Should I lend it?",
    "hi": "मेरा भाई दुकान के लिए उधार चाहता है। क्या मुझे देना चाहिए?",
}
NEXT = {
    "en": "And what would you tell my mother?",
    "hi": "और आप मेरी माँ से क्या कहेंगे?",
}
WHY = {
    "en": "It takes my family seriously.",
    "hi": "यह मेरे परिवार को गंभीरता से लेता है।",
}
ANSWERS = {
    "en": [
        "Money between brothers is never only money. If you can spare it, help him: a family that "
        "holds together is worth more than what a bank would pay you. Ask him to show you the "
        "plan for the shop, sit down with him for an evening, and go through it line by line. "
        "Then give what you could bear to lose, and call it a gift in your own heart, so that "
        "no debt stands between you at the next wedding.",
        "I would lend it, **but in writing**. Agree on:\n\n- the amount, and when it comes back\n"
        "- what happens if the shop does badly\n- that nobody else in the family is asked to judge"
        "\n\nA clear paper protects you both. It is no sign of distrust: it lets you stay "
        "brothers while you do business.",
        "You have worked for this money, and you have plans of your own. It is no betrayal to "
        "keep it. Many shops close in their first two years, and a loan that cannot be paid back "
        "has ended more friendships than a refusal ever did. Tell him plainly that you will not "
        "lend, and offer what costs you nothing but time: look over his figures, go to the bank "
        "with him, help him paint the walls.",
        "What does your heart say when you picture him opening the door on the first morning? "
        "Perhaps the answer lies there. Before you decide, ask somebody whom you both respect, "
        "and sleep on it for three nights. If you still feel peace at the thought of giving, "
        "give; if you feel fear, wait. A good decision rarely minds being made slowly.",
    ],
    "hi": [
        "भाइयों के बीच पैसा कभी सिर्फ़ पैसा नहीं होता। अगर आप दे सकते हैं, तो मदद कीजिए: जो परिवार साथ खड़ा "
        "रहता है, उसकी क़ीमत बैंक के ब्याज से कहीं ज़्यादा है। उससे दुकान की योजना दिखाने को कहिए और एक शाम साथ "
        "बैठकर हर पंक्ति पढ़िए। फिर उतना ही दीजिए जितना खोने का दुख आप सह सकें।",
        "मैं उधार दूँगा, **पर लिखकर**। इन बातों पर सहमति बना लीजिए:\n\n- कितनी रक़म, और कब लौटेगी\n"
        "- दुकान न चली तो क्या होगा\n- परिवार में किसी और से फ़ैसला नहीं करवाया जाएगा\n\n"
        "साफ़ काग़ज़ दोनों की रक्षा करता है। यह अविश्वास नहीं, रिश्ते को बचाने का तरीक़ा है।",
        "यह पैसा आपने मेहनत से कमाया है और आपकी अपनी योजनाएँ हैं। इसे अपने पास रखना धोखा नहीं है। बहुत-सी "
        "दुकानें पहले दो साल में बंद हो जाती हैं। साफ़ कह दीजिए कि आप उधार नहीं देंगे, और समय दीजिए: उसका हिसाब "
        "देखिए, उसके साथ बैंक जाइए, दीवारें रंगने में हाथ बँटाइए।",
        "जब आप सोचते हैं कि वह पहली सुबह दुकान का दरवाज़ा खोल रहा है, तो आपका दिल क्या कहता है? "
        "शायद जवाब वहीं है। "
        "फ़ैसले से पहले किसी ऐसे व्यक्ति से पूछिए जिसका आप दोनों आदर करते हैं, और तीन रात सोचिए। मन शांत रहे तो "
        "दीजिए; डर लगे तो रुकिए।",
    ],
}
