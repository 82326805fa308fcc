//! Which files belong to a store, and which of its checkpoints holds.

use posthouse_core::ids::BatchNo;

use super::script::{
    SEGMENT_BYTES, STORE, epoch, lay_out, manifest, put_checkpoint, put_manifest, segment_head,
};
use crate::files::held::HeldFiles;
use crate::journal::fault::Fault;
use crate::journal::layout::block::{Stamp, payload_mut, seal};
use crate::journal::layout::manifest::Manifest;
use crate::journal::layout::name::{checkpoint_name, segment_name, spare_name};
use crate::journal::layout::segment::{SegmentHead, SegmentKind, StoreId};
use crate::journal::scan::Directory;

fn read(files: &HeldFiles) -> Directory {
    Directory::read(files).expect("nothing is wrong")
}

fn check_fault(files: &HeldFiles, expected: &str) {
    let told = Directory::read(files).expect_err("something is wrong").to_string();
    assert!(told.starts_with(expected), "expected {expected}\nbut it told {told}");
}

#[test]
fn an_empty_directory_is_a_new_store() {
    let files = HeldFiles::default();
    let directory = read(&files);
    assert!(directory.manifest.is_none());
    assert_eq!(directory.stale_slot, 0);
    files.put("manifest.a", vec![0; 100]);
    files.put(&spare_name(1), Vec::new());
    assert!(read(&files).manifest.is_none(), "a first manifest may be torn");
}

#[test]
fn every_file_is_what_its_name_says() {
    let files = lay_out("3: 1\n2c: m1\n1:");
    for name in ["notes.txt", "manifest.c", "1.segment", "0000000000000007.segment.new"] {
        files.put(name, Vec::new());
    }
    files.put(&spare_name(9), Vec::new());
    files.put(&checkpoint_name(BatchNo(5)), Vec::new());
    let directory = read(&files);
    let ids: Vec<u64> = directory.segments.iter().map(|(head, _)| head.id).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(directory.segments[1].0, segment_head(2, SegmentKind::Compacted));
    assert_eq!(directory.spares, [spare_name(9)]);
    assert_eq!(directory.checkpoints, [(BatchNo(5), checkpoint_name(BatchNo(5)))]);
    assert_eq!(directory.unfinished, ["0000000000000007.segment.new"]);
    assert_eq!(directory.strangers, ["1.segment", "manifest.c", "notes.txt"]);
}

#[test]
fn the_newest_valid_slot_counts() {
    let with = |generation| Manifest { generation, ..manifest() };
    let check = |slots: [Option<Vec<u8>>; 2], generation, stale_slot| {
        let files = HeldFiles::default();
        for (name, bytes) in ["manifest.a", "manifest.b"].into_iter().zip(slots) {
            bytes.into_iter().for_each(|bytes| files.put(name, bytes));
        }
        let directory = read(&files);
        let read = directory.manifest.map(|manifest| manifest.generation);
        assert_eq!((read, directory.stale_slot), (Some(generation), stale_slot));
    };
    let slot = |generation| Some(with(generation).encode());
    check([slot(1), None], 1, 1);
    check([slot(1), slot(2)], 2, 0);
    check([slot(3), slot(2)], 3, 1);
    let torn = Some(with(4).encode()[..2000].to_vec());
    check([slot(3), torn.clone()], 3, 1);
    check([torn, slot(2)], 2, 0);
    check([slot(3), Some(vec![0; 4096])], 3, 1);
}

#[test]
fn a_store_without_a_valid_manifest_is_damaged() {
    let files = lay_out("1: 1");
    files.change("manifest.a", |bytes| bytes[100] ^= 1);
    check_fault(&files, "manifest.a is damaged at byte 0 (block 0): no slot of the manifest");
    let files = HeldFiles::default();
    files.put(&checkpoint_name(BatchNo(5)), Vec::new());
    check_fault(&files, "manifest.a is damaged");
}

#[test]
fn the_checkpoint_that_the_manifest_names_is_there_in_full() {
    let files = lay_out("1: 1");
    put_checkpoint(&files, 1, 1, 2);
    assert_eq!(read(&files).manifest.map(|manifest| manifest.checkpoint), Some(BatchNo(1)));
    let name = checkpoint_name(BatchNo(1));
    files.change(&name, |bytes| bytes.push(0));
    check_fault(&files, &format!("{name} is damaged at byte 71 (block 0): it has 72 bytes"));
    let named = Manifest { generation: 9, checkpoint: BatchNo(2), ..manifest() };
    put_manifest(&files, 1, &named);
    check_fault(&files, "0000000000000002.checkpoint is damaged at byte 0 (block 0): the manifest");
}

#[test]
fn segments_are_what_their_names_their_heads_and_the_manifest_say() {
    let name = segment_name(1);
    let check = |change: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let files = lay_out("1: 1");
        files.change(&name, change);
        check_fault(&files, &format!("{name} is damaged at byte {expected}"));
    };
    let with = |head: SegmentHead| {
        move |bytes: &mut Vec<u8>| bytes.splice(..4096, head.encode()).for_each(drop)
    };
    let head = segment_head(1, SegmentKind::Journal);
    check(&|bytes| bytes.clear(), "0 (block 0): it does not begin as a segment does");
    check(&|bytes| bytes[24] ^= 1, "0 (block 0): it does not begin as a segment does");
    check(&|bytes| bytes[99] ^= 1, "0 (block 0): its head is not what was written");
    check(&|bytes| bytes.truncate(9000), "9000 (block 2): the file is cut off");
    check(&with(SegmentHead { id: 2, ..head }), "0 (block 0): its head is that of segment 2");
    let store = StoreId([8; 16]);
    check(&with(SegmentHead { store, ..head }), "0 (block 0): it belongs to another store");
    let bytes = SEGMENT_BYTES + 4096;
    check(&with(SegmentHead { bytes, ..head }), "65536 (block 16): the file is cut off");
}

#[test]
fn slots_of_two_stores_are_damage() {
    let files = lay_out("");
    let other = Manifest { generation: 2, store: StoreId([8; 16]), ..manifest() };
    assert_ne!(other.store, STORE);
    put_manifest(&files, 1, &other);
    check_fault(&files, "manifest.b is damaged at byte 0 (block 0): the other slot");
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let files = lay_out("1: 1");
    files.change(&segment_name(1), |bytes| {
        payload_mut(&mut bytes[..4096])[8] = 3;
        seal(&mut bytes[..4096], Stamp { epoch: epoch(1), number: 0, index: 0 });
    });
    let fault = Directory::read(&*files).expect_err("it is too new");
    assert!(matches!(fault, Fault::Future { format: 3, .. }), "{fault}");
}
