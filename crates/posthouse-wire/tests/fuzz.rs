//! Replays mutations of the golden files through the codecs, and holds memory to what was received.
//!
//! This binary counts every allocation and therefore holds one test only: nothing else may
//! allocate meanwhile.

use std::alloc::System;
use std::hint::black_box;

use posthouse_wire::fuzz::{Chunking, fuzz_one, stomp_digest, xorshift};
use posthouse_wire::golden::golden_cases;
use posthouse_wire::stomp::Version;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const GOLDEN_FILES: [&str; 4] = [
    include_str!("../testdata/stomp/all.txt"),
    include_str!("../testdata/stomp/1.0.txt"),
    include_str!("../testdata/stomp/1.1.txt"),
    include_str!("../testdata/stomp/1.2.txt"),
];

const MUTATION_COUNT: usize = 50_000;
const INPUT_BYTES_MAX: usize = 2 * 1024;
const SEED: u64 = 0x9057_4005;

/// What one input may cost, in bytes allocated over its whole run.
const COST_PER_BYTE: usize = 8;
const COST_BASE_BYTES: usize = 64 * 1024;

#[test]
fn any_bytes_cost_no_more_than_their_share() {
    allocations_are_counted();
    let corpus = corpus();
    let mut seed = SEED;
    for round in 0..MUTATION_COUNT {
        let input = mutate(&corpus, &mut seed);
        for version in Version::ALL {
            for chunking in [Chunking::Whole, Chunking::Bytes, Chunking::Pieces(seed)] {
                let cost = allocated_bytes(|| {
                    black_box(stomp_digest(&input, version, chunking));
                });
                assert!(is_fair(cost, &input), "round {round}: {cost} bytes for {input:?}");
            }
        }
        fuzz_one(&input);
    }
}

/// The check itself is checked: what takes memory because a peer has announced it is caught.
fn allocations_are_counted() {
    let input = b"SEND\ncontent-length:1000000\n\n";
    let cost = allocated_bytes(|| drop(black_box(Vec::<u8>::with_capacity(1_000_000))));
    assert!(cost >= 1_000_000);
    assert!(!is_fair(cost, input));
    let cost = allocated_bytes(|| {
        black_box(stomp_digest(input, Version::V1_2, Chunking::Whole));
    });
    assert!(cost > 0 && is_fair(cost, input));
}

fn allocated_bytes(work: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    work();
    region.change().bytes_allocated
}

fn is_fair(cost: usize, input: &[u8]) -> bool {
    cost <= COST_PER_BYTE * input.len() + COST_BASE_BYTES
}

fn corpus() -> Vec<Vec<u8>> {
    GOLDEN_FILES.into_iter().flat_map(golden_cases).map(|case| case.input).collect()
}

/// One to four changes to an input of the corpus.
fn mutate(corpus: &[Vec<u8>], seed: &mut u64) -> Vec<u8> {
    let mut input = pick(corpus, seed).clone();
    for _ in 0..=xorshift(seed) % 4 {
        change(&mut input, corpus, seed);
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], seed: &mut u64) {
    let at = (xorshift(seed) as usize) % (input.len() + 1);
    let to = at + (xorshift(seed) as usize) % (input.len() + 1 - at);
    match xorshift(seed) % 6 {
        0 => input.insert(at, xorshift(seed) as u8),
        1 => input.insert(at, *pick(b"\0\n\r:\\ 09-", seed)),
        2 => drop(input.drain(at..to)),
        3 => input.extend_from_within(at..to),
        4 => input.splice(at..at, pick(corpus, seed).iter().copied()).for_each(drop),
        _ => input[at..to].iter_mut().take(4).for_each(|byte| *byte ^= xorshift(seed) as u8),
    }
}

fn pick<'a, T>(list: &'a [T], seed: &mut u64) -> &'a T {
    &list[(xorshift(seed) as usize) % list.len()]
}
