//! Which server is tried next. Pure: randomness is an argument.

use fastrand::Rng;

use crate::address::Server;

/// The list of servers, gone through in rounds; each round tries every server once.
#[derive(Clone, Debug)]
pub struct Servers {
    list: Vec<Server>,
    is_random: bool,
    /// What is left of the round, last first.
    round: Vec<Server>,
}

impl Servers {
    /// Servers of which none has been tried.
    pub fn new(list: Vec<Server>, is_random: bool) -> Self {
        Self { list, is_random, round: Vec::new() }
    }

    /// Starts a round. In random order it is shuffled anew, so that many clients spread evenly.
    pub fn begin_round(&mut self, random: &mut Rng) {
        self.round.clone_from(&self.list);
        if self.is_random {
            random.shuffle(&mut self.round);
        } else {
            self.round.reverse();
        }
    }

    /// The next server of the round; `None` when all have been tried.
    pub fn next_server(&mut self) -> Option<Server> {
        self.round.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(is_random: bool) -> Servers {
        let server = |name: char| Server { host: name.into(), port: 1, login: None };
        Servers::new("abcd".chars().map(server).collect(), is_random)
    }

    fn round(servers: &mut Servers, random: &mut Rng) -> String {
        servers.begin_round(random);
        std::iter::from_fn(|| servers.next_server()).map(|server| server.host).collect()
    }

    #[test]
    fn a_fixed_order_is_kept_in_every_round() {
        let (mut servers, mut random) = (servers(false), Rng::with_seed(1));
        assert_eq!(servers.next_server(), None);
        assert_eq!(round(&mut servers, &mut random), "abcd");
        servers.begin_round(&mut random);
        servers.next_server();
        assert_eq!(round(&mut servers, &mut random), "abcd");
    }

    #[test]
    fn a_random_order_differs_and_leaves_nobody_out() {
        let (mut servers, mut random) = (servers(true), Rng::with_seed(1));
        let mut firsts = String::new();
        for _ in 0..100 {
            let order = round(&mut servers, &mut random);
            let mut sorted: Vec<char> = order.chars().collect();
            sorted.sort_unstable();
            assert_eq!(sorted, ['a', 'b', 'c', 'd']);
            firsts.extend(order.chars().next());
        }
        assert!("abcd".chars().all(|name| firsts.matches(name).count() > 10), "{firsts}");
    }
}
