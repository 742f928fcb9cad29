"""Settings and keys: what is wrong is said in one line that names it, and no secret is ever shown."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.terms.commitments import keccak
from serving.keys import KeyUnreadable, MessageKey, open_message_key, open_signer, read_keystore, write_keystore
from serving.run import run_service
from serving.settings import ServiceSettings, load_settings

ACCOUNT = "0x" + "Ab" * 20
RIGHT = {
    "name": "wallet",
    "account": ACCOUNT,
    "port": 8000,
    "endpoint": "http://127.0.0.1:8000",
    "database": "wallet.sqlite",
    "network": "network.json",
    "chain_url": "http://127.0.0.1:8545",
    "message_key": "message.json",
    "token_key": "token.json",
    "password_file": "password",
}
SECRET = bytes(range(1, 33))
CHEAP = 2


def write(folder: Path, **changes: object) -> Path:
    said = {name: value for name, value in (RIGHT | changes).items() if value is not None}
    file = folder / "service.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items()))
    return file


def leaving(capsys: pytest.CaptureFixture[str], file: Path) -> str:
    """The one line with which the process is left."""
    with pytest.raises(SystemExit) as left:
        load_settings(ServiceSettings, file)
    assert left.value.code == 2
    out, line = capsys.readouterr()
    assert out == ""
    assert line.endswith("\n")
    assert line.count("\n") == 1
    return line


def test_right_settings_are_read(tmp_path: Path) -> None:
    settings = load_settings(ServiceSettings, write(tmp_path))
    assert (settings.name, settings.port, settings.host) == ("wallet", 8000, "127.0.0.1")
    assert settings.account == ACCOUNT.lower()
    assert settings.database == Path("wallet.sqlite")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, None) for name in RIGHT),
        ("name", ""),
        ("account", "alice"),
        ("account", 5),
        ("port", 0),
        ("port", 65_536),
        ("port", "many"),
        ("endpoint", "127.0.0.1:8000"),
        ("endpoint", "http://127.0.0.1:8000/"),
        ("chain_url", "ftp://127.0.0.1"),
        ("finality", "hope"),
        ("databse", "typing.sqlite"),
    ],
)
def test_each_wrong_setting_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, value: object
) -> None:
    assert leaving(capsys, write(tmp_path, **{name: value})).startswith(f"settings: {name}: ")


@pytest.mark.parametrize(
    "wrong", ["", 5, "mysql://u:horse@h/n", "postgresql://u:horse@h", "postgresql://u:horse@h:many/n", "://horse"]
)
def test_a_database_that_is_none_is_named_and_its_password_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: object
) -> None:
    line = leaving(capsys, write(tmp_path, database=wrong))
    assert line.startswith("settings: database: ")
    assert "horse" not in line


def test_a_database_may_be_a_url_and_its_password_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("horse\n")
    file = write(tmp_path, database="postgresql://u@h/n", database_password_file=str(tmp_path / "password"))
    settings = load_settings(ServiceSettings, file)
    assert settings.place().render_as_string(hide_password=False) == "postgresql://u:horse@h/n"  # type: ignore[union-attr]
    assert settings.state() == tmp_path
    missing = load_settings(ServiceSettings, write(tmp_path, database="postgresql:///n", database_password_file="none"))
    with pytest.raises(KeyUnreadable, match="database_password_file"):
        missing.place()


@pytest.mark.parametrize("content", [b"port = ", b"= 5", b"port = 1\nport = 2\n", b"\xff\xfe", b"\0"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    file = tmp_path / "service.toml"
    file.write_bytes(content)
    assert str(file) in leaving(capsys, file)


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert str(tmp_path / "none.toml") in leaving(capsys, tmp_path / "none.toml")
    assert str(tmp_path) in leaving(capsys, tmp_path)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEIQIAN_PORT", "9000")
    monkeypatch.setenv("FEIQIAN_ENDPOINT", "https://wallet.example")
    settings = load_settings(ServiceSettings, write(tmp_path, endpoint=None))
    assert (settings.port, settings.endpoint, settings.name) == (9000, "https://wallet.example", "wallet")


def test_a_wrong_environment_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEIQIAN_PORT", "many")
    assert leaving(capsys, write(tmp_path)).startswith("settings: port: ")


def test_settings_cannot_be_changed_later(tmp_path: Path) -> None:
    settings = load_settings(ServiceSettings, write(tmp_path))
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


def test_a_service_that_cannot_start_says_why_as_a_process(tmp_path: Path) -> None:
    """Through the door an operator uses: a real process, its exit code and its standard error."""
    code = (
        "import sys; from pathlib import Path; from serving.run import run_service; "
        "from serving.settings import ServiceSettings; "
        "run_service(ServiceSettings, Path(sys.argv[1]), lambda settings: settings.password())"
    )
    for port, expected in ((0, "settings: port: "), (8000, "wallet cannot start: ")):
        file = write(tmp_path, port=port)
        done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert done.stderr.startswith(expected)


def test_a_password_has_no_line_end_and_its_file_must_be_there(tmp_path: Path) -> None:
    file = tmp_path / "password"
    settings = load_settings(ServiceSettings, write(tmp_path, password_file=str(file)))
    with pytest.raises(KeyUnreadable, match="password_file"):
        settings.password()
    file.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(KeyUnreadable, match="password_file"):
        settings.password()
    file.write_text(" pass word \n")
    assert settings.password() == " pass word "
    assert "pass word" not in repr(settings)


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "deep" / "key.json"
    write_keystore(path, SECRET, "right", CHEAP)
    return path


def test_a_keystore_gives_back_its_secret_to_the_password_alone(keystore: Path) -> None:
    assert read_keystore(keystore, "right") == SECRET
    for wrong in ("", "Right", "right ", "right\n"):
        with pytest.raises(KeyUnreadable, match="wrong password"):
            read_keystore(keystore, wrong)


def test_a_keystore_is_its_owners_alone_and_says_nothing(keystore: Path) -> None:
    assert stat.S_IMODE(keystore.stat().st_mode) == 0o600
    assert SECRET.hex() not in keystore.read_text()
    assert "right" not in keystore.read_text()


def test_a_keystore_is_never_overwritten(keystore: Path) -> None:
    with pytest.raises(FileExistsError):
        write_keystore(keystore, b"\1" * 32, "other", CHEAP)
    assert read_keystore(keystore, "right") == SECRET


def damages(text: str) -> dict[str, str]:
    document = json.loads(text)
    crypto = document["crypto"]

    def within(**changes: object) -> str:
        return json.dumps(document | {"crypto": crypto | changes})

    return {
        "empty": "",
        "cut off": text[: len(text) // 2],
        "a list": "[]",
        "a number": "5",
        "null": "null",
        "no members": "{}",
        "no crypto": json.dumps({"version": 3}),
        "crypto that is a list": json.dumps(document | {"crypto": []}),
        "another version": json.dumps(document | {"version": 9}),
        "text altered": within(ciphertext="00" + crypto["ciphertext"][2:]),
        "text that is no hex": within(ciphertext="zz"),
        "another check": within(mac="00" * 32),
        "another derivation": within(kdf="none"),
        "impossible cost": within(kdfparams=crypto["kdfparams"] | {"n": 3}),
        "no salt": within(kdfparams={name: value for name, value in crypto["kdfparams"].items() if name != "salt"}),
        "no iv": within(cipherparams={}),
        "deep": "[" * 900,
    }


def refusal_of(path: Path) -> str:
    try:
        read_keystore(path, "right")
    except KeyUnreadable as failure:
        return str(failure)
    return ""


def test_a_damaged_keystore_is_named_and_not_shown(keystore: Path, tmp_path: Path) -> None:
    for kind, content in damages(keystore.read_text()).items():
        path = tmp_path / "damaged.json"
        path.write_text(content)
        said = refusal_of(path)
        assert str(path) in said, kind
        assert SECRET.hex() not in said, kind


def test_a_keystore_that_is_not_there_or_no_file_or_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.json", tmp_path, tmp_path / "bytes.json", tmp_path / "bytes.json" / "below"):
        with pytest.raises(KeyUnreadable, match=str(path)):
            read_keystore(path, "right")


def test_both_kinds_of_key_open_from_a_keystore(keystore: Path) -> None:
    assert open_message_key(keystore, "right").public == MessageKey(SECRET).public
    assert open_signer(keystore, "right").address.startswith("0x")


def holding(keystore: Path, secret: bytes) -> str:
    """The keystore with another secret in it, as no tool of ours would write it (AES-CTR, a MAC over the text)."""
    document = json.loads(keystore.read_text())
    crypto, cost = document["crypto"], document["crypto"]["kdfparams"]
    numbers = {name: cost[name] for name in ("n", "r", "p", "dklen")}
    derived = hashlib.scrypt(b"right", salt=bytes.fromhex(cost["salt"]), **numbers)
    text = bytes(x ^ y ^ z for x, y, z in zip(bytes.fromhex(crypto["ciphertext"]), SECRET, secret, strict=False))
    return json.dumps(
        document | {"crypto": crypto | {"ciphertext": text.hex(), "mac": keccak(derived[16:] + text).hex()}}
    )


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, b"\7" * 16], ids=["zero", "beyond the order", "short"])
def test_a_secret_that_is_no_key_is_said_without_showing_it(keystore: Path, tmp_path: Path, secret: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_text(holding(keystore, secret))
    assert read_keystore(path, "right") == secret
    with pytest.raises(KeyUnreadable, match=r"key\.json") as failure:
        (open_signer if len(secret) == 32 else open_message_key)(path, "right")
    assert secret.hex() not in str(failure.value)


def test_no_secret_is_shown_by_a_key(keystore: Path) -> None:
    for key in (open_message_key(keystore, "right"), open_signer(keystore, "right")):
        shown = repr(key) + str(key) + f"{key}"
        assert SECRET.hex() not in shown
        assert repr(SECRET) not in shown
        assert str(list(SECRET)) not in shown


def test_the_command_of_a_service_needs_a_config(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as left:
        run_service(ServiceSettings, tmp_path / "none.toml", lambda _: pytest.fail("nothing to start"))  # type: ignore[arg-type]
    assert left.value.code == 2
