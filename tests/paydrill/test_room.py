"""A run that cannot be recorded is refused before it starts, and aborted when the disk fills up."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from paydrill.run_folder import RunFolder, RunFolderError, check_room, is_full


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    path = tmp_path / "runs" / "a-run"
    path.mkdir(parents=True)
    return RunFolder(path, "abc")


def test_too_little_room_is_told_in_mebibytes_and_leaves_nothing_behind(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "paydrill.run_folder.shutil.disk_usage", lambda path: SimpleNamespace(free=20 * 2**20)
    )
    check_room(folder, 1_000)
    with pytest.raises(RunFolderError, match="has 20 MiB of room, and this run takes about 302 MiB"):
        check_room(folder, 200_000)
    assert not folder.path.exists()


def test_a_full_disk_is_noticed(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_full(folder)
    monkeypatch.setattr("paydrill.run_folder.shutil.disk_usage", lambda path: SimpleNamespace(free=4096))
    assert is_full(folder)
