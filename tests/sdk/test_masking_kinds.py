"""Which secrets and personal data are found, and what only looks like them."""

import pytest
from sdk.masks import KEY, masked

from sightline.masking import _check_digits
from sightline.privacy import DEFAULT_KINDS, OPTIONAL, Privacy

HEX = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"key sk-proj-{KEY}.", "key [SECRET_1]."),
        (f'{{"k":"sk-ant-api03-{KEY}"}}', '{"k":"[SECRET_1]"}'),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "[SECRET_1]"),
        (f"ghp_{KEY}", "[SECRET_1]"),
        (f"github_pat_{KEY}", "[SECRET_1]"),
        ("AKIAIOSFODNN7EXAMPLE", "[SECRET_1]"),
        ("aws secret: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws secret: [SECRET_1]"),
        (f"xoxb-{KEY}", "[SECRET_1]"),
        (f"hooks.slack.com/services/T12345678/B12345678/{KEY}", "hooks.slack.com/services/[SECRET_1]"),
        (f"sk_live_{KEY}", "[SECRET_1]"),
        (f"hf_{KEY}", "[SECRET_1]"),
        (f"glpat-{KEY}", "[SECRET_1]"),
        (f"npm_{KEY}", "[SECRET_1]"),
        (f"SG.{KEY}.{KEY}", "[SECRET_1]"),
        (f"SK{HEX}{HEX}", "[SECRET_1]"),
        (f"twilio auth_token={HEX}{HEX}", "twilio auth_token=[SECRET_1]"),
        (f"Name=x;AccountKey={KEY}==;Suffix=y", "Name=x;AccountKey=[SECRET_1];Suffix=y"),
        (f"Authorization: Bearer {KEY}==", "Authorization: Bearer [TOKEN_1]"),
        ("-H 'Authorization: Basic dXNlcjpwYXNz'", "-H 'Authorization: Basic [TOKEN_1]'"),
        ("proxy says Basic YWxhZGRpbjpvcGVuc2VzYW1l", "proxy says Basic [TOKEN_1]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.SflKxwRJSMeKKF2QT4fwp", "[JWT_1]"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "[JWT_1]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----", "[PRIVATE_KEY_1]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut in the middle", "[PRIVATE_KEY_1]"),
        ('"-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n"', '"[PRIVATE_KEY_1]\\n"'),
    ],
)  # fmt: skip
def test_secrets_are_replaced_by_their_kind(text: str, left: str) -> None:
    """Provider keys, tokens and private keys do not leave; what is around them does."""
    assert masked(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://ann:p@ss@shop.de/a", "https://[PASSWORD_1]@shop.de/a"),
        ("postgresql://app:hunter2@db:5432/shop", "postgresql://[PASSWORD_1]@db:5432/shop"),
        ("https://a.de/v1?api_key=abc&page=2", "https://a.de/v1?api_key=[SECRET_1]&page=2"),
        ("https://a.de/v1?page=2&key=abc#top", "https://a.de/v1?page=2&key=[SECRET_1]#top"),
        ("/v1?X-Amz-Signature=0a1b", "/v1?X-Amz-Signature=[SECRET_1]"),
        ("?access_token=abc.def", "?access_token=[SECRET_1]"),
        ('{"api_key":"correct.horse"}', '{"api_key":"[SECRET_1]"}'),
        ("My password: Tr0ub4dor&3", "My password: [PASSWORD_1]"),
        ("X-Api-Key: abcdef123456", "X-Api-Key: [SECRET_1]"),
        ("Cookie: session=abc; theme=dark\nHost: a.de", "Cookie: [SECRET_1]\nHost: a.de"),
        ("api_key=abc&page=2", "api_key=[SECRET_1]&page=2"),
        ('{"password": "hun ter\\"2", "user": "ann"}', '{"password": "[PASSWORD_1]", "user": "ann"}'),
        ('{"a":"{\\"pwd\\":\\"x y\\",\\"b\\":1}"}', '{"a":"{\\"pwd\\":\\"[PASSWORD_1]\\",\\"b\\":1}"}'),
        ("{'clientSecret': 'abc'}", "{'clientSecret': '[SECRET_1]'}"),
        ('password = "hunter2"', 'password = "[PASSWORD_1]"'),
        ("Server=db;User Id=sa;Password=abc;", "Server=db;User Id=sa;Password=[PASSWORD_1];"),
        ("host=db user=app password=abc dbname=shop", "host=db user=app password=[PASSWORD_1] dbname=shop"),
        ('{"password":123456}', '{"password":"[PASSWORD_1]"}'),
        ('{"password":["hunter2","x"],"a":["b"]}', '{"password":["[PASSWORD_1]"],"a":["b"]}'),
        ('{"password":{"value":"x"}}', '{"password":{"value":"[PASSWORD_1]"}}'),
        ('"passphrase":"a b","bearer_token":"a"', '"passphrase":"[PASSWORD_1]","bearer_token":"[SECRET_1]"'),
        ('{"session_token":"a"}', '{"session_token":"[SECRET_1]"}'),
        ('{"SessionToken":"abc/d"}', '{"SessionToken":"[SECRET_1]"}'),
        ('{"token":"tok123456","pass":"hunter2"}', '{"token":"[SECRET_1]","pass":"[SECRET_2]"}'),
        ('{"Authorization":"Basic YTpi"}', '{"Authorization":"Basic [TOKEN_1]"}'),
        ('[["x-api-key","abc123"],["accept","a/b"]]', '[["x-api-key","[SECRET_1]"],["accept","a/b"]]'),
        ('[["Authorization", "Basic YTpi"]]', '[["Authorization", "[SECRET_1]"]]'),
        ("MY_API_KEY=abcdef123\nDB_PASSWORD=hunter2", "MY_API_KEY=[SECRET_1]\nDB_PASSWORD=[PASSWORD_1]"),
    ],
)  # fmt: skip
def test_what_is_named_a_secret_is_one(text: str, left: str) -> None:
    """In addresses, JSON, code, connection strings and environments the name beside a value gives it away."""
    assert masked(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("write to a.b+c@mail.example.co.uk, now", "write to [EMAIL_1], now"),
        ("jürgen@müller.de", "[EMAIL_1]"),
        ("/search?email=ann%40example.org&page=2", "/search?email=[EMAIL_1]&page=2"),
        ("'o'neill@example.org' writes", "'[EMAIL_1]' writes"),
        ("card 4111 1111 1111 1111 ok", "card [CARD_1] ok"),
        ("card 5500-0000-0000-0004", "card [CARD_1]"),
        ("amex 3782 822463 10005.", "amex [CARD_1]."),
        ("an DE89 3704 0044 0532 0130 00 EUR", "an [IBAN_1] EUR"),
        ("gb82west12345698765432", "[IBAN_1]"),
        ("DE89-3704-0044-0532-0130-00", "[IBAN_1]"),
        ("BE68 5390 0754 7034 THEN", "[IBAN_1] THEN"),
        ("SSN 123-45-6789", "SSN [US_SSN_1]"),
        ("social security number 123456789", "social security number [US_SSN_1]"),
        ("NINO AB 12 34 56 C", "NINO [UK_NINO_1]"),
        ("AB123456C", "[UK_NINO_1]"),
        ("IdNr. 86 095 742 719", "IdNr. [DE_TAX_ID_1]"),
        ("86095742719", "[DE_TAX_ID_1]"),
        ("NIR 2 55 08 14 168 025 38", "NIR [FR_NIR_1]"),
        ("DNI 12345678Z, NIE X-1234567-L", "DNI [ES_DNI_1], NIE [ES_DNI_2]"),
        ("12.345.678-Z", "[ES_DNI_1]"),
        ("CF RSSMRA85M01H501Q", "CF [IT_FISCAL_CODE_1]"),
        ("BSN: 111222333", "BSN: [NL_BSN_1]"),
        ("PESEL 44051401359", "PESEL [PL_PESEL_1]"),
        ("CPF 529.982.247-25 ou 52998224725", "CPF [BR_CPF_1] ou [BR_CPF_1]"),
        ("Aadhaar 9999 4105 7058", "Aadhaar [IN_AADHAAR_1]"),
        ("call +49 30 1234567 or +1 (415) 555-2671.", "call [PHONE_1] or [PHONE_2]."),
        ("415-555-2671, (415) 555-2671", "[PHONE_1], [PHONE_1]"),
        ("بطاقة ٤١١١ ١١١١ ١١١١ ١١١١", "بطاقة [CARD_1]"),
        ("４１１１１１１１１１１１１１１１", "[CARD_1]"),
        ("card 4111\u00a01111\u00a01111\u00a01111", "card [CARD_1]"),
    ],
)  # fmt: skip
def test_personal_data_is_replaced_by_its_kind(text: str, left: str) -> None:
    """Addresses, cards, accounts and people's numbers do not leave, in whatever digits they are written."""
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "ordinary words, 42 of them",
        "order 4111 1111 1111 1112",  # fails the check digit
        "at 1795268171326527773 ns",  # a time, not a card
        "task-force sk-8 asks @home",
        "2026-11-21T13:34:59 10.0.0.1",
        "2026-11-21T13:34:59.123456789+01:00 and 20261121T133459Z",
        "it costs 1.234.567,89 EUR, 1,299.00 USD or 12 345 678 JPY",
        "order 2024-11871, invoice 300012345, ticket #987654321",
        "build 20261121123456, run 123456789012",
        "1732195999 1732195999123 1732195999123456",
        "0b1e8a4c-6f1d-4b1e-9d59-0242ac120002",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "the aws commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "/var/log/application/events-2026-11-21.json?limit=20&offset=40",
        "https://example.com/a/very/long/path/of/words?lang=de&sort=price",
        "git@github.com:owner/name.git uses actions/checkout@v4.1.2 and lodash@4.17.21",
        "@pytest.mark.parametrize and a @ b; x@localhost, image@2x.png",
        'max_tokens=100, "total_tokens": 1050, sorted(rows, key=len), token="a b"',
        "postgres://{user}:{password}@db and f'https://{key}:x@host'; authorization=request_headers",
        "password = input('Password: ') or os.environ['DB_PASSWORD']",
        "API_KEY=settings.api_key\nclient(api_key=api_key, password=password)",
        '{"password": null, "secret": true, "key": "name", "token": "Hello"}',
        "password: required, api_key: Optional[str], secret: (none); PWD=/home/ann, Cookie: yes please",
        '{"password": {"type": "string", "title": "P"}, "pass": 12, "token": 3456}',
        "secret=None",
        "api_key=True, sk-learn-pipeline-abc-D",
        "/x?turkey=1&primarykey=3&monkey=banana&sort_key=name",
        "Basic understanding of bearer bonds; the secret: be kind",
        ".sk-loading-spinner-dot { margin: 0 }",
        "+12 % more, C++17, 1+1=2, +2026-11-21 13:34",
        "between 1939-1945 and 2019-2020, pages 123-45-67",
        "lat 52.5200066, lon 13.404954; pi 3.14159265358979",
        "ISBN 978-3-16-148410-0, EAN 4006381333931",
        "version 1.2.3.4 at 8.8.8.8",
        "-----BEGIN CERTIFICATE----- is public",
        "2345678901234567 units",
        "x = 0x7fffffffffffffff",
    ],
)
def test_what_only_looks_sensitive_stays(text: str) -> None:
    """Prices, dates, times, ids, checksums, versions and code are left alone, byte for byte."""
    assert masked(text) == text


def test_placeholders_are_numbered_and_stand_for_values() -> None:
    """The same value gets the same number, however it is written; another one gets the next."""
    text = "a@b.de, c@d.de, A@B.de; 4111 1111 1111 1111, 4111111111111111"
    assert masked(text) == "[EMAIL_1], [EMAIL_2], [EMAIL_1]; [CARD_1], [CARD_1]"


def test_numbers_that_a_text_has_already_are_left_out() -> None:
    """What another program masked before is not taken for something else."""
    assert masked("[EMAIL_1] wrote to a@b.de") == "[EMAIL_1] wrote to [EMAIL_2]"


def test_json_stays_json() -> None:
    """A number that is replaced becomes a text in JSON, and an escape before a find stays whole."""
    given = '{"card":4111111111111111,"q":"pay: 4111111111111111, or\\na@b.de","n":[5500000000000004]}'
    assert masked(given) == '{"card":"[CARD_1]","q":"pay: [CARD_1], or\\n[EMAIL_1]","n":["[CARD_2]"]}'


@pytest.mark.parametrize("before", ["\\n", "\\t", "\\u00e9", "\n", '"', "(", ":", "="])
@pytest.mark.parametrize(
    "found", [f"sk-proj-{KEY}", "a@b.de", "4111111111111111", "DE89370400440532013000", "AB123456C"]
)
def test_what_stands_right_after_an_escape_is_found(before: str, found: str) -> None:
    """In JSON a line's beginning is two letters, which are no part of the word after them."""
    assert found not in masked(f'"x{before}{found}"')


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ("[4111111111111111,123]", '["[CARD_1]",123]'),
        ("ann,4111111111111111,12/30", "ann,[CARD_1],12/30"),
        ("+491712345678,5", "[PHONE_1],5"),
        ("415-555-2671,5", "[PHONE_1],5"),
        ("078-05-1120,3", "[US_SSN_1],3"),
        ("44051401359,1,529.982.247-25,1", "[PL_PESEL_1],1,[BR_CPF_1],1"),
    ],
)
def test_a_number_in_a_row_of_numbers_is_found(row: str, left: str) -> None:
    """In compact JSON and in CSV a comma and a digit come right after a number, which is no fraction."""
    assert masked(row) == left


def test_only_the_kinds_that_are_named_are_looked_for() -> None:
    """With some kinds chosen, the others stay; addresses of machines are looked for by choice only."""
    text = "a@b.de 4111 1111 1111 1111 8.8.8.8 10.0.0.1"
    assert masked(text, Privacy(kinds={"EMAIL"})) == "[EMAIL_1] 4111 1111 1111 1111 8.8.8.8 10.0.0.1"
    assert (
        masked(text, Privacy(kinds=DEFAULT_KINDS | OPTIONAL)) == "[EMAIL_1] [CARD_1] [IP_ADDRESS_1] 10.0.0.1"
    )


@pytest.mark.parametrize(
    ("test", "valid"),
    [
        (_check_digits.is_card, "378282246310005"),
        (_check_digits.is_dni, "X1234567L"),
        (_check_digits.is_codice_fiscale, "RSSMRA80A01H501U"),
        (_check_digits.is_nir, "255081416802538"),
        (_check_digits.is_tax_id, "47036892816"),
        (_check_digits.is_bsn, "123456782"),
        (_check_digits.is_pesel, "44051401359"),
        (_check_digits.is_cpf, "52998224725"),
        (_check_digits.is_aadhaar, "999941057058"),
    ],
)
def test_a_check_digit_tells_a_wrong_digit(test: object, valid: str) -> None:
    """A number is believed as it is, and with no other last character."""
    assert callable(test)
    others = [valid[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if valid[-1].isalpha()]
    others += [valid[:-1] + last for last in "0123456789" if valid[-1].isdigit()]
    assert [number for number in others if test(number)] == [valid]


def test_an_iban_is_as_long_as_its_country_says() -> None:
    """Of a text the account is found, whatever comes after it; a wrong digit, length or country is none."""
    assert _check_digits.iban_in("DE89 3704 0044 0532 0130 00 12") == "DE89 3704 0044 0532 0130 00"
    for wrong in ("DE88370400440532013000", "DE8937040044053201300", "XX89370400440532013000"):
        assert _check_digits.iban_in(wrong) == ""
