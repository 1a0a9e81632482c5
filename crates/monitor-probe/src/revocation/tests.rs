//! Lists from files.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use test_servers::{Authority, Leaf};

use super::*;

fn der(pem: &str) -> Vec<u8> {
    let list = CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).unwrap();
    list.to_vec()
}

fn paths(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| folder.join(name)).collect()
}

fn problems(errors: &[RevocationListError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn lists_are_read_from_files_and_folders_whatever_their_format() {
    let authority = Authority::root().unwrap();
    let list = authority.revocation_list(&[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lists")).unwrap();
    fs::write(folder.path().join("lists/one.crl"), der(&list)).unwrap();
    fs::write(folder.path().join("lists/two.pem"), format!("{list}{list}")).unwrap();
    fs::write(folder.path().join("lists/.hidden"), "what a tool left").unwrap();
    fs::write(folder.path().join("three.pem"), &list).unwrap();
    let lists = RevocationLists::read(&paths(folder.path(), &["lists", "three.pem"])).unwrap();
    assert_eq!(lists.len(), 4);
    assert!(RevocationLists::read(&[]).unwrap().is_empty());
}

#[test]
fn every_file_that_is_of_no_use_is_named() {
    let authority = Authority::root().unwrap();
    let good = authority.revocation_list(&[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good"), &good).unwrap();
    fs::write(folder.path().join("certificate"), authority.pem()).unwrap();
    fs::write(folder.path().join("cut"), &der(&good)[..80]).unwrap();
    let names = ["good", "certificate", "cut", "missing"];
    let errors = RevocationLists::read(&paths(folder.path(), &names)).unwrap_err();
    let problems = problems(&errors);
    assert_eq!(problems.len(), 3);
    for (problem, name) in problems.iter().zip(&names[1..]) {
        let file = folder.path().join(name);
        assert!(problem.starts_with(file.to_str().unwrap()), "{problem}");
    }
}

#[test]
fn a_file_that_changes_is_read_again() {
    let authority = Authority::root().unwrap();
    let leaf = authority.issue(&Leaf::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list");
    fs::write(&file, authority.revocation_list(&[]).unwrap()).unwrap();
    let lists = RevocationLists::read(&[folder.path().to_owned()]).unwrap();
    let first = lists.known();
    assert!(!lists.reread().unwrap());
    fs::write(&file, authority.revocation_list(&[&leaf.chain]).unwrap()).unwrap();
    assert!(lists.reread().unwrap());
    assert_ne!(lists.known().generation, first.generation);
    fs::remove_file(&file).unwrap();
    assert!(lists.reread().unwrap());
    assert!(lists.is_empty());
}

#[test]
fn lists_that_cannot_be_used_any_more_leave_the_last_ones_and_are_told_once() {
    let authority = Authority::root().unwrap();
    let list = authority.revocation_list(&[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list");
    fs::write(&file, &list).unwrap();
    let lists = RevocationLists::read(std::slice::from_ref(&file)).unwrap();
    fs::write(&file, &list[..list.len() / 2]).unwrap();
    let errors = lists.reread().unwrap_err();
    assert!(problems(&errors)[0].starts_with(file.to_str().unwrap()));
    assert!(!lists.reread().unwrap());
    assert_eq!(lists.len(), 1);
    fs::write(&file, list).unwrap();
    assert!(lists.reread().unwrap());
}

#[test]
fn a_list_whose_successor_is_late_is_told_apart() {
    let authority = Authority::root().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list");
    fs::write(&file, authority.revocation_list(&[]).unwrap()).unwrap();
    let lists = RevocationLists::read(&[file]).unwrap();
    let at = |text: &str| text.parse().unwrap();
    assert_eq!(lists.outdated(at("2089-12-31T00:00:00Z")), 0);
    assert_eq!(lists.outdated(at("2090-01-02T00:00:00Z")), 1);
}

proptest! {
    #[test]
    fn whatever_a_file_is_made_of_it_is_read_or_refused(
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        cut in 0..20_usize,
    ) {
        let authority = Authority::root().unwrap();
        let mut bytes = der(&authority.revocation_list(&[]).unwrap());
        bytes.truncate(bytes.len() - cut);
        for (position, byte) in changes {
            let position = position % bytes.len();
            bytes[position] = byte;
        }
        if let Ok(lists) = List::read_all(&bytes) {
            prop_assert!(lists.len() <= 1);
        }
    }
}
