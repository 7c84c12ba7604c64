"""Exports of church programs: real column names, invented people."""

from __future__ import annotations

from tests.koinonia.member_import.program_file import ANN, BEN, TOM, ZOE, Expected, ProgramFile

CHURCH_PROGRAMS = (
    ProgramFile(
        "Planning Center",
        "Person ID,Name Prefix,Given Name,First Name,Nickname,Middle Name,Last Name,Name Suffix,"
        "Birthdate,Gender,Child,Marital Status,Status,Membership,Inactive Reason,Inactive Date,"
        "Home Address Street Line 1,Mobile Phone Number,Home Phone Number,Work Phone Number,"
        "Pager Phone Number,Fax Phone Number,Other Phone Number,Home Email,Household ID,"
        "Household Name,Household Primary Contact",
        (
            {"Person ID": "1", "Given Name": "Annabel", "First Name": "Ann", "Last Name": "Lee",
             "Name Suffix": "III", "Status": "Active", "Mobile Phone Number": "(312) 555-0101",
             "Home Phone Number": "(312) 555-0109", "Household Primary Contact": "TRUE"},
            {"Person ID": "2", "First Name": "Ben", "Last Name": "Li", "Status": "Inactive",
             "Inactive Reason": "Moved", "Mobile Phone Number": "312-555-0102"},
            {"Person ID": "3", "Given Name": "Zoë", "Last Name": "Day", "Status": "Active",
             "Home Phone Number": "312-555-0103", "Fax Phone Number": "312-555-0199"},
        ),
        (Expected("Ann Lee III", ANN), Expected("Zoë Day", ZOE)),
        ((3, "Status"), (4, "Home Phone Number")),
        ("Pager Phone Number", "Fax Phone Number", "Household Name", "Home Email"),
    ),
    ProgramFile(
        "Planning Center, a list",
        "Name,Primary Email,Primary Phone Number,Church Life :: Worship Service",
        ({"Name": "Lee, Ann", "Primary Phone Number": "312.555.0101"},),
        (Expected("Ann Lee", ANN),),
        ignored=("Church Life :: Worship Service",),
    ),
    ProgramFile(
        "Breeze",
        "Breeze ID,First Name,Last Name,Middle Name,Nickname,Maiden Name,Gender,Status,"
        "Marital Status,Birthdate,Age,Family,Family Role,Mobile,Home,Work,Campus,Email,"
        "Street Address,Added Date,Opt-out of Newsletter Emails",
        (
            {"First Name": "Ann", "Last Name": "Lee", "Mobile": "3125550101", "Home": "3125550109",
             "Age": "0000", "Opt-out of Newsletter Emails": "Yes"},
            {"First Name": "Ben", "Last Name": "Li", "Home": "(312) 555-0102"},
        ),
        (Expected("Ann Lee", ANN), Expected("Ben Li", BEN)),
        ((3, "Home"),),
        ("Family", "Opt-out of Newsletter Emails"),
    ),
    ProgramFile(
        "Rock",
        "FamilyId,FamilyName,PersonId,Prefix,FirstName,NickName,MiddleName,LastName,Suffix,"
        "FamilyRole,ConnectionStatus,RecordStatus,IsDeceased,HomePhone,MobilePhone,WorkPhone,"
        "Allow SMS?,Email,Is Email Active?,Allow Bulk Email?",
        (
            {"FamilyName": "Lee Family", "FirstName": "Ann", "LastName": "Lee",
             "RecordStatus": "Active", "MobilePhone": "(312) 555-0101", "Allow SMS?": "Yes",
             "Allow Bulk Email?": "No"},
            {"FirstName": "Ben", "LastName": "Li", "MobilePhone": "(312) 555-0102",
             "Allow SMS?": "No"},
            {"FirstName": "Zoë", "LastName": "Day", "MobilePhone": "(312) 555-0103",
             "IsDeceased": "TRUE"},
            {"FirstName": "Tom", "LastName": "Roe", "MobilePhone": "+1 312 555 0104"},
        ),
        (Expected("Ann Lee", ANN), Expected("Ben Li", BEN, opted_out=True), Expected("Tom Roe", TOM)),
        ((4, "died"),),
        ("FamilyName", "Allow Bulk Email?", "Allow SMS? (empty in 1 of"),
    ),
    ProgramFile(
        "Rock, split files",
        "Id,FamilyId,FirstName,NickName,LastName,RecordStatus,InactiveReason,EmailPreference,"
        "IsDeceased,PhoneNumber,IsMessagingEnabled,CountryCode",
        (
            {"FirstName": "Ann", "LastName": "Lee", "PhoneNumber": "07911 123456",
             "CountryCode": "44", "IsMessagingEnabled": "1"},
            {"FirstName": "Ben", "LastName": "Li", "PhoneNumber": "3125550102",
             "IsMessagingEnabled": "0", "EmailPreference": "EmailAllowed"},
            {"FirstName": "Zoë", "LastName": "Day", "PhoneNumber": "3125550103",
             "InactiveReason": "Deceased"},
        ),
        (Expected("Ann Lee", "+447911123456"), Expected("Ben Li", BEN, opted_out=True)),
        ((4, "died"),),
        ("EmailPreference",),
    ),
    ProgramFile(
        "ChurchCRM",
        "FamilyID,LastName,FirstName,Address1,City,State,Zip,Email,BirthDate,HomePhone",
        ({"LastName": "Lee", "FirstName": "Ann", "BirthDate": "0000-07-04",
          "HomePhone": "312-555-0101"},),
        (Expected("Ann Lee", ANN),),
        ignored=("FamilyID", "HomePhone (taken as the phone"),
    ),
    ProgramFile(
        "CCB",
        "fname,lname,mname,salutation,legal_fname,suffix,email,emails,family_id,family,"
        "family_position,deceased,membership_type,receive_email_from_church,active,contact_phone,"
        "home_phone,work_phone,mobile_phone,mobile_carrier",
        (
            {"fname": "Ann", "lname": "Lee", "active": "true", "contact_phone": "312-555-0109",
             "mobile_phone": "312-555-0101", "receive_email_from_church": "false"},
            {"fname": "Ben", "lname": "Li", "active": "false", "mobile_phone": "312-555-0102"},
            {"fname": "Zoë", "lname": "Day", "active": "true", "deceased": "2019-05-04",
             "mobile_phone": "312-555-0103"},
            {"fname": "Tom", "lname": "Roe", "active": "true", "contact_phone": "312-555-0104"},
        ),
        (Expected("Ann Lee", ANN), Expected("Tom Roe", TOM)),
        ((3, "active"), (4, "died")),
        ("receive_email_from_church", "mobile_carrier"),
    ),
    ProgramFile(
        "ACS",
        "IndividualId,FamilyNumber,FamilyPosition,FirstName,GoesByName,MiddleName,LastName,Suffix,"
        "Title,ActiveRecord,MemberStatus,PreferredPhone,HomePhone",
        (
            {"FirstName": "Ann", "LastName": "Lee", "Suffix": "Jr.", "ActiveRecord": "Yes",
             "MemberStatus": "Member", "PreferredPhone": "(312) 555-0101"},
            {"GoesByName": "Ben", "LastName": "Li", "ActiveRecord": "No",
             "PreferredPhone": "(312) 555-0102"},
        ),
        (Expected("Ann Lee Jr.", ANN),),
        ((3, "ActiveRecord"),),
    ),
    ProgramFile(
        "Tithely",
        "individual_id,first_name,last_name,middle_name,nickname,prefix,suffix,email_address,"
        "mobile_phone_country_code,mobile_phone,home_phone,work_phone,membership_status,family_id,"
        "family_role",
        ({"first_name": "Ann", "last_name": "Lee", "mobile_phone_country_code": "+1",
          "mobile_phone": "3125550101"},),
        (Expected("Ann Lee", ANN),),
        ignored=("individual_id", "family_role"),
    ),
    ProgramFile(
        "Elvanto",
        "firstname,preferred_name,middle_name,lastname,email,phone,mobile,archived,contact,"
        "volunteer,deceased,status,family_id,family_relationship,departments,demographics,locations",
        (
            {"firstname": "Ann", "lastname": "Lee", "phone": "3125550109", "mobile": "3125550101",
             "archived": "0", "deceased": "0", "status": "Active",
             "departments": "Worship Team||Band||Guitar"},
            {"firstname": "Ben", "lastname": "Li", "mobile": "3125550102", "archived": "1",
             "deceased": "0"},
            {"firstname": "Zoë", "lastname": "Day", "mobile": "3125550103", "archived": "0",
             "deceased": "1"},
        ),
        (Expected("Ann Lee", ANN),),
        ((3, "archived"), (4, "died")),
        ("departments", "volunteer"),
    ),
    ProgramFile(
        "ChurchSuite",
        "first_name,middle_name,last_name,formal_name,telephone,mobile,email,general_sms,rota_sms,"
        "has_sms_opt_out,status",
        (
            {"first_name": "Ann", "last_name": "Lee", "mobile": "312 555 0101", "general_sms": "1",
             "has_sms_opt_out": "0", "status": "active"},
            {"first_name": "Ben", "last_name": "Li", "mobile": "312 555 0102", "general_sms": "0",
             "status": "active"},
            {"first_name": "Zoë", "last_name": "Day", "mobile": "312 555 0103", "general_sms": "1",
             "has_sms_opt_out": "1", "status": "active"},
            {"first_name": "Tom", "last_name": "Roe", "mobile": "312 555 0104",
             "status": "archived"},
        ),
        (Expected("Ann Lee", ANN), Expected("Ben Li", BEN, opted_out=True),
         Expected("Zoë Day", ZOE, opted_out=True)),
        ((5, "status"),),
        ("rota_sms",),
    ),
    ProgramFile(
        "Servant Keeper",
        "Family ID,Individual ID,Active Profile,Title,First Name,Preferred Name,Middle Name,"
        "Last Name,Suffix,Relationship,Member Status,Home Phone,Cell Phone,Work Phone,Phone,"
        "Individual e-Mail,Date of Death,Env #,Skills",
        (
            {"Active Profile": "Yes", "First Name": "Ann", "Last Name": "Lee",
             "Home Phone": "   -   -    ", "Cell Phone": "312-555-0101", "Date of Death": "  /  /    "},
            {"Active Profile": "Yes", "First Name": "Ben", "Last Name": "Li",
             "Member Status": "Deceased - Member", "Cell Phone": "312-555-0102"},
            {"Active Profile": "Yes", "First Name": "Zoë", "Last Name": "Day",
             "Cell Phone": "   -   -    ", "Date of Death": "  /  /    "},
            {"Active Profile": "Yes", "First Name": "Tom", "Last Name": "Roe",
             "Member Status": "Transferred out by letter", "Cell Phone": "312-555-0104"},
        ),
        (Expected("Ann Lee", ANN),),
        ((3, "died"), (4, "phone: It is empty"), (5, "Member Status")),
        ("Skills",),
    ),
    ProgramFile(
        "FellowshipOne",
        ",".join([*(f"Textbox{number}" for number in range(575, 725)),
                  "Individual_ID,Last_Name,First_Name,Household_Position1,Status_Name,unsubscribed,"
                  "group_membership_list,Household_ID,head_phone,spouse_phone,preferred_phone,"
                  "all_phones,home_phone,mobile_phone,work_phone,emergency_phone"]),
        (
            {"Last_Name": "Lee", "First_Name": "Ann", "group_membership_list": "Choir;Youth",
             "head_phone": "3125550109", "emergency_phone": "3125550108",
             "mobile_phone": "3125550101"},
            {"Last_Name": "Li", "First_Name": "Ben", "unsubscribed": "Yes",
             "spouse_phone": "3125550109", "preferred_phone": "3125550102"},
            {"Last_Name": "Day", "First_Name": "Zoë", "head_phone": "3125550103"},
        ),
        (Expected("Ann Lee", ANN, ("Choir", "Youth")), Expected("Ben Li", BEN, opted_out=True)),
        ((4, "phone: It is empty"),),
        ("Textbox600", "head_phone", "emergency_phone"),
    ),
    ProgramFile(
        "Jethro",
        "family_name,last_name,first_name,congregation,status,gender,age_bracket,email,mobile_tel,"
        "work_tel,home_tel",
        (
            {"family_name": "Lee-Roe", "last_name": "Lee", "first_name": "Ann",
             "congregation": "Morning", "status": "core", "mobile_tel": "3125550101"},
            {},
            {"last_name": "Li", "first_name": "Ben", "status": "Archived",
             "mobile_tel": "3125550102"},
        ),
        (Expected("Ann Lee", ANN, ("Morning",)),),
        ((4, "status"),),
        ("family_name",),
    ),
    ProgramFile(
        "ChurchTrac",
        "First Name,Last Name,Family Name,CellPhone",
        ({"First Name": "George, Jr.", "Last Name": "Lee", "Family Name": "The Lees",
          "CellPhone": "312-555-0101"},),
        (Expected("George Lee Jr.", ANN),),
        ignored=("Family Name",),
    ),
    ProgramFile(
        "Clearstream",
        "Mobile,First,Last,Email,Tags",
        ({"Mobile": "13125550101", "First": "Ann", "Last": "Lee", "Tags": "Choir"},),
        (Expected("Ann Lee", ANN, ("Choir",)),),
        ignored=("Email",),
    ),
    ProgramFile(
        "PastorsLine",
        "First Name,Last Name,Phone Number,Birthday",
        ({"First Name": "Ann", "Last Name": "Lee", "Phone Number": "+13125550101"},
         {"First Name": "Ben", "Last Name": "Li", "Phone Number": "0", "Birthday": "01-31-1980"}),
        (Expected("Ann Lee", ANN),),
        ((3, "phone: It is empty"),),
        ("Birthday",),
    ),
)  # fmt: skip
