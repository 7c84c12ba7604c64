"""Exports of address books, mailers and donor programs: real column names, invented people."""

from __future__ import annotations

from tests.koinonia.member_import.program_file import ANN, BEN, Expected, ProgramFile

ADDRESS_BOOKS = (
    ProgramFile(
        "Google Contacts, old",
        "Name,Given Name,Additional Name,Family Name,Name Prefix,Name Suffix,Nickname,"
        "Group Membership,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,"
        "Phone 2 - Type,Phone 2 - Value",
        (
            {"Name": "Ann Lee", "Given Name": "Ann", "Family Name": "Lee",
             "Group Membership": "* myContacts ::: Choir", "Phone 1 - Type": "Home",
             "Phone 1 - Value": "312-555-0109", "Phone 2 - Type": "* Mobile",
             "Phone 2 - Value": "312-555-0101 ::: 312-555-0105"},
            {"Name": "Ben Li", "Phone 1 - Type": "Work Fax", "Phone 1 - Value": "312-555-0109",
             "Phone 2 - Type": "", "Phone 2 - Value": "312-555-0102"},
        ),
        (Expected("Ann Lee", ANN, ("Choir",)), Expected("Ben Li", BEN)),
        ((2, "(312) 555-0105"),),
        ("E-mail 1 - Value",),
    ),
    ProgramFile(
        "Google Contacts, new",
        "First Name,Middle Name,Last Name,Name Suffix,Nickname,File As,Labels,Email 1 - Label,"
        "Email 1 - Value,Phone 1 - Label,Phone 1 - Value",
        (
            {"First Name": "Ann", "Last Name": "Lee", "Labels": "Choir ::: Youth ::: * myContacts",
             "Phone 1 - Label": "Mobile", "Phone 1 - Value": "+1 312-555-0101"},
            {"File As": "Li, Ben", "Labels": "* myContacts", "Phone 1 - Label": "Work",
             "Phone 1 - Value": "+1 312-555-0102"},
        ),
        (Expected("Ann Lee", ANN, ("Choir", "Youth")), Expected("Ben Li", BEN)),
        ((3, "home or work"),),
    ),
    ProgramFile(
        "Outlook, desktop",
        "Title,First Name,Middle Name,Last Name,Suffix,Company,Business Phone,Company Main Phone,"
        "Home Fax,Home Phone,Mobile Phone,Pager,Primary Phone,Categories",
        (
            {"Title": "Dr.", "First Name": "Ann", "Last Name": "Lee", "Mobile Phone": "3125550101",
             "Company Main Phone": "3125550109", "Categories": "Choir;Youth"},
            {"First Name": "Ben", "Last Name": "Li", "Home Fax": "3125550109",
             "Primary Phone": "3125550102"},
        ),
        (Expected("Ann Lee", ANN, ("Choir", "Youth")), Expected("Ben Li", BEN)),
        (),
        ("Title", "Company Main Phone", "Home Fax"),
    ),
    ProgramFile(
        "Outlook, German",
        "Vorname;Nachname;Telefon geschäftlich;Mobiltelefon",
        ({"Vorname": "Jürgen", "Nachname": "Groß", "Mobiltelefon": "312 5550101"},),
        (Expected("Jürgen Groß", ANN),),
        ignored=("Telefon geschäftlich",),
        delimiter=";",
    ),
    ProgramFile(
        "Mailchimp",
        "Email Address,First Name,Last Name,Phone Number,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,"
        "NOTES,TAGS,UNSUB_TIME,UNSUB_REASON",
        (
            {"First Name": "Ann", "Last Name": "Lee", "Phone Number": "312-555-0101",
             "OPTIN_TIME": "2026-01-02 10:00:00", "TAGS": '"VIP","Blog"'},
            {"First Name": "Ben", "Last Name": "Li", "Phone Number": "312-555-0102",
             "OPTIN_TIME": "2026-01-02 10:00:00", "UNSUB_TIME": "2026-02-03 11:00:00"},
        ),
        (Expected("Ann Lee", ANN, ("Blog", "VIP")), Expected("Ben Li", BEN, opted_out=True)),
        (),
        ("MEMBER_RATING", "UNSUB_REASON"),
    ),
    ProgramFile(
        "Brevo",
        "EMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME",
        (
            {"LASTNAME": "Lee", "FIRSTNAME": "Ann", "SMS": "13125550101", "EMAIL_BLACKLISTED": "Yes",
             "SMS_BLACKLISTED": "No"},
            {"LASTNAME": "Li", "FIRSTNAME": "Ben", "SMS": "13125550102", "SMS_BLACKLISTED": "Yes"},
        ),
        (Expected("Ann Lee", ANN), Expected("Ben Li", BEN, opted_out=True)),
        ignored=("EMAIL_BLACKLISTED",),
        delimiter=";",
    ),
    ProgramFile(
        "Givebutter",
        "First Name,Preferred First Name,Last Name,Primary Phone,Additional Phones,"
        "Engage SMS Subscribed,Tags,Household ID",
        (
            {"First Name": "Ann", "Last Name": "Lee", "Primary Phone": "3125550101",
             "Engage SMS Subscribed": "Yes", "Tags": "Choir"},
            {"First Name": "Ben", "Last Name": "Li", "Primary Phone": "3125550102",
             "Engage SMS Subscribed": "No"},
        ),
        (Expected("Ann Lee", ANN, ("Choir",)), Expected("Ben Li", BEN, opted_out=True)),
        ignored=("Additional Phones", "Household ID"),
    ),
    ProgramFile(
        "Constant Contact",
        "First name,Last name,Email permission status - home,Phone - fax,Phone - home,"
        "Phone - mobile,Phone - work,Tags,Email Lists,Source Name,Created At",
        ({"First name": "Ann", "Last name": "Lee", "Email permission status - home": "Unsubscribed",
          "Phone - fax": "3125550109", "Phone - mobile": "3125550101"},),
        (Expected("Ann Lee", ANN),),
        ignored=("Email permission status - home", "Phone - fax"),
    ),
    ProgramFile(
        "Salesforce",
        "FirstName,LastName,Phone,HomePhone,MobilePhone,npe01__WorkPhone__c,"
        "npe01__PreferredPhone__c,HasOptedOutOfEmail,npsp__Do_Not_Contact__c,npsp__Deceased__c",
        (
            {"FirstName": "Ann", "LastName": "Lee", "Phone": "3125550109",
             "MobilePhone": "3125550101", "HasOptedOutOfEmail": "true",
             "npsp__Do_Not_Contact__c": "false", "npsp__Deceased__c": "false"},
            {"FirstName": "Ben", "LastName": "Li", "MobilePhone": "3125550102",
             "npsp__Do_Not_Contact__c": "true"},
            {"FirstName": "Zoë", "LastName": "Day", "MobilePhone": "3125550103",
             "npsp__Deceased__c": "true"},
        ),
        (Expected("Ann Lee", ANN), Expected("Ben Li", BEN, opted_out=True)),
        ((4, "died"),),
        ("HasOptedOutOfEmail", "npe01__PreferredPhone__c"),
    ),
)  # fmt: skip
