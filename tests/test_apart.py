"""Files known by their ids and a tree are compared without listing either; the answer is that of two lists."""

from __future__ import annotations

from conftest import GitRepo, commit_all, git
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.apart import apart
from remit.footing import Footing, blob_id, footing_of
from remit.git import Repository
from remit.store import FOLDERS, Store

Names = st.sampled_from(["a", "a.yaml", "a-b", "b", ".hidden", "c", "客户"])
Paths = st.one_of(
    st.just("remit.yaml"),
    st.builds("records/x/{}".format, Names),
    st.builds("records/{}".format, Names),
    st.builds("rules/{}/{}".format, Names, Names),
    st.builds("other/{}".format, Names),
)
Trees = st.dictionaries(Paths, st.sampled_from([b"1", b"2", b"3"]), max_size=12)


def listed(store: Store, tree: str, files: Footing) -> dict[str, tuple[str | None, str | None]]:
    """The same by two lists."""
    there = {path: entry.oid for path, entry in store.listing(tree).items() if path not in FOLDERS}
    here = files.ids()
    names = sorted({*there, *here})
    return {name: (there.get(name), here.get(name)) for name in names if there.get(name) != here.get(name)}


def fitting(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without files where others have a folder."""
    return {path: data for path, data in files.items() if not any(one.startswith(f"{path}/") for one in files)}


def kept(files: dict[str, bytes]) -> Footing:
    """The files of a working tree that belong to a store, by their ids."""
    own = {path for path in files if path == "remit.yaml" or (path.split("/")[0] in FOLDERS and "/." not in path)}
    return footing_of({path: blob_id(files[path]) for path in own})


def test_what_differs_is_what_two_lists_say(git_repo: GitRepo) -> None:
    repo = git_repo({"inner/remit.yaml": "name: x\n"})
    repository = Repository(repo)

    @settings(max_examples=150, deadline=None)
    @given(tree=Trees, files=Trees, inner=st.booleans())
    def is_alike(tree: dict[str, bytes], files: dict[str, bytes], inner: bool) -> None:
        prefix = "inner/" if inner else ""
        tree, files = fitting(tree), fitting(files)
        oid = repository.commit_with(None, {prefix + path: data for path, data in tree.items()})
        store = Store(repo / prefix.rstrip("/"))

        assert apart(store, oid, kept(files)) == listed(store, oid, kept(files))
        assert list(apart(store, oid, kept(files))) == sorted(apart(store, oid, kept(files)))

    is_alike()


def test_of_a_folder_of_many_files_those_are_found_that_are_apart(git_repo: GitRepo) -> None:
    files = {f"records/x/{number:03}.yaml": f"n: {number}\n" for number in range(300)}
    repo = git_repo({"remit.yaml": "name: x\n", **files})
    store, ids = Store.open(repo), {path: blob_id(data.encode()) for path, data in files.items()}
    ids["remit.yaml"] = blob_id(b"name: x\n")
    one, other, gone, new = (f"records/x/{name}.yaml" for name in ("000", "299", "150", "150a"))

    assert apart(store, "HEAD", footing_of(ids)) == {}
    edited = ids | {one: "1" * 40, other: "2" * 40}
    assert apart(store, "HEAD", footing_of(edited)) == {one: (ids[one], "1" * 40), other: (ids[other], "2" * 40)}
    moved = {path: oid for path, oid in ids.items() if path != gone} | {new: ids[gone]}
    assert apart(store, "HEAD", footing_of(moved)) == {gone: (ids[gone], None), new: (None, ids[gone])}


def test_a_name_that_holds_a_line_end_is_not_taken_for_two(git_repo: GitRepo) -> None:
    repo = git_repo({"remit.yaml": "name: x\n", "records/x/a\nb": "1"})
    store, oid = Store.open(repo), blob_id(b"1")
    files = footing_of({"remit.yaml": blob_id(b"name: x\n"), "records/x/a": oid, "records/x/b": oid})

    found = apart(store, "HEAD", files)

    assert found == {
        "records/x/a": (None, oid), "records/x/a\nb": (oid, None), "records/x/b": (None, oid),
    }  # fmt: skip


def test_a_link_in_a_commit_is_not_the_file_that_took_its_place(git_repo: GitRepo) -> None:
    repo = git_repo({"remit.yaml": "name: x\n", "records/x/a": "1"})
    (repo / "records/x/b").symlink_to("a")
    commit_all(repo)
    link = git(repo, "rev-parse", "HEAD:records/x/b")
    files = footing_of({"remit.yaml": blob_id(b"name: x\n"), "records/x/a": blob_id(b"1"), "records/x/b": "3" * 40})

    assert apart(Store.open(repo), "HEAD", files) == {"records/x/b": (link, "3" * 40)}
