//! Chance that can be repeated: xoshiro256++ (Blackman and Vigna, 2019), seeded by splitmix64.
//!
//! Each concern draws from a stream of its own, so that a change to one does not shift what the
//! others draw.

/// What a stream of random numbers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// How a run is set up.
    Plan = 1,
    /// What clients do.
    Workload = 2,
    /// Delays, splits and breaks.
    Network = 3,
    /// Syncs and what survives a crash.
    Disk = 4,
    /// When things go wrong.
    Faults = 5,
    /// Where a trace ends, and what is left then.
    Crash = 6,
    /// What is in messages.
    Bodies = 7,
}

/// A generator of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The generator of one stream of a seed.
    pub fn new(seed: u64, stream: Stream) -> Random {
        let mut mix = seed ^ (stream as u64).wrapping_mul(0xd134_2543_de82_ef95);
        let mut draw = || {
            mix = mix.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Random { state: [draw(), draw(), draw(), draw()] }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let drawn = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        drawn
    }

    /// A number from 0 up to, not including, `limit`; 0 when the limit is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True `percent` times out of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`; `None` when there are none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let index = self.below(choices.len() as u64);
        choices.get(usize::try_from(index).ok()?)
    }

    /// The index of one of `weights`, each drawn as often as it weighs.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut drawn = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if drawn < *weight {
                return index;
            }
            drawn -= weight;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{Random, Stream};

    #[test]
    fn a_stream_is_the_same_every_time_and_unlike_others() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            [random.bits(), random.bits(), random.bits()]
        };
        assert_eq!(draw(7, Stream::Plan), draw(7, Stream::Plan));
        assert_ne!(draw(7, Stream::Plan), draw(7, Stream::Disk));
        assert_ne!(draw(7, Stream::Plan), draw(8, Stream::Plan));
    }

    #[test]
    fn bounds_are_kept_and_reached() {
        let mut random = Random::new(1, Stream::Plan);
        let drawn: Vec<u64> = (0..1_000).map(|_| random.between(3, 7)).collect();
        assert!((3..=7).all(|number| drawn.contains(&number)), "{drawn:?}");
        assert!(drawn.iter().all(|number| (3..=7).contains(number)));
        assert_eq!(random.below(0), 0);
        assert_eq!(random.pick::<u8>(&[]), None);
        assert_eq!(random.weighted(&[0, 5, 0]), 1);
        assert!(!random.chance(0) && random.chance(100));
    }
}
