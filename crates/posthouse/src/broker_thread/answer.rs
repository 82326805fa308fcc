//! Answers what the rest of the process asks, by copying it out.

use posthouse_core::command::{Applied, Command};
use posthouse_core::destination::DestinationName;
use posthouse_core::ids::DestinationId;
use posthouse_core::refusal::{Code, Refusal};

use super::ask::{Action, Ask, Browse, ConnectionInfo, ConnectionPage, Overview, PAGE, Reply};
use super::connection::Connection;
use super::hub::Hub;
use posthouse_core::broker::view::BrowsePage;

impl Hub {
    /// Answers one question. Whoever asked may be gone, which is no harm.
    pub(super) fn answer(&mut self, ask: Ask) {
        let broker = self.driver.broker();
        match ask {
            Ask::Overview(reply) => drop(reply.send(self.overview())),
            Ask::Destinations(after, reply) => {
                drop(reply.send(broker.destinations(after, PAGE)));
            }
            Ask::Destination(name, reply) => drop(reply.send(broker.destination(&name))),
            Ask::Subscriptions(after, reply) => {
                drop(reply.send(broker.subscriptions(after, PAGE)));
            }
            Ask::Connections(from, reply) => drop(reply.send(self.describe_page(from))),
            Ask::Browse(browse, reply) => self.answer_browse(browse, reply),
            Ask::Act(action, reply) => drop(reply.send(self.act(action))),
            Ask::Settled(reply) => self.settling.push_back((self.driver.last_batch(), reply)),
            Ask::Limit(limits) => self.config.limits = limits,
        }
        self.turn_wanted.notify_one();
    }

    fn overview(&self) -> Overview {
        let mut connections = self.totals;
        connections.open = self.connections.len() as u64;
        Overview { broker: self.driver.broker().stats(), connections }
    }

    fn describe_page(&self, from: u32) -> ConnectionPage {
        let mut connections = self.connections.iter_from(from);
        let page = connections.by_ref().take(PAGE).map(|(_, connection)| describe(connection));
        let page = page.collect();
        (page, connections.next().map(|(key, _)| key.index))
    }

    /// Looks again for those whose messages had to be loaded first.
    pub(super) fn answer_parked(&mut self) {
        for (browse, reply) in std::mem::take(&mut self.parked) {
            self.answer_browse(browse, reply);
        }
    }

    /// Tells those whose changes are durable by now.
    pub(super) fn answer_settled(&mut self) {
        let driver = &self.driver;
        while let Some((_, reply)) =
            self.settling.pop_front_if(|(last, _)| driver.is_durable(*last))
        {
            // Whoever asked may be gone, which is no harm.
            let _ = reply.send(());
        }
    }

    fn answer_browse(&mut self, browse: Box<Browse>, reply: Reply<Result<BrowsePage, Refusal>>) {
        let page = self.browse(&browse);
        let is_waiting = |page: &BrowsePage| page.messages.is_empty() && page.absent.is_some();
        if page.as_ref().is_ok_and(is_waiting) && !reply.is_closed() {
            self.parked.push((browse, reply));
        } else {
            drop(reply.send(page));
        }
    }

    fn browse(&mut self, browse: &Browse) -> Result<BrowsePage, Refusal> {
        let queue = self.find(&browse.queue)?;
        let selector = browse.selector.as_ref();
        Ok(self.driver.browse(queue, browse.from, browse.limit, selector))
    }

    fn act(&mut self, action: Action) -> Result<u64, Refusal> {
        let command = match action {
            Action::Purge { queue, limit } => {
                Command::Purge { destination: self.find(&queue)?, limit }
            }
            Action::Redrive { queue, limit } => {
                Command::Redrive { destination: self.find(&queue)?, limit }
            }
            Action::RemoveDestination(name) => {
                Command::RemoveDestination { destination: self.find(&name)? }
            }
            Action::RemoveSubscription { client, name } => {
                Command::RemoveSubscription { client, name, receipt: None }
            }
        };
        let now = self.now();
        match self.driver.apply(now, command)? {
            Applied::Count(count) => Ok(count),
            _ => Ok(0),
        }
    }

    fn find(&self, name: &DestinationName) -> Result<DestinationId, Refusal> {
        let found = self.driver.broker().destination(name);
        found.map(|stats| stats.id).ok_or_else(|| {
            let detail = format!("there is no {} \"{}\"", name.kind.as_str(), name.path());
            Refusal::new(Code::DestinationUnknown, detail)
        })
    }
}

fn describe(connection: &Connection) -> ConnectionInfo {
    ConnectionInfo {
        id: connection.id,
        address: connection.address,
        connected_ms: connection.connected_ms,
        bytes_in: connection.bytes_in,
        bytes_out: connection.bytes_out,
        output_bytes: connection.session.output_len(),
        session: connection.session.describe(),
    }
}
