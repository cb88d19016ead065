//! Choosing one of several backends.
//!
//! A balancer sees only its own connections: those it opened and that have not closed. Ties go to a
//! rotating pointer that moves only when it has broken a tie, never to the lowest index. When no
//! backend is eligible it sends to all. It does not know what a backend is, nor why one is down.

use std::collections::HashMap; // tidy: looked up by key, never iterated

use super::levels::Levels;
use super::ring;
use crate::engine::stream::{DrawKey, salt};
use crate::units::Instant;
use crate::{choice, config};

choice! {
    /// How a backend is chosen.
    pub enum BalanceConfig {
        /// One after the other.
        round_robin: RoundRobin,
        /// Smooth weighted round robin, as nginx does it.
        weighted_round_robin: WeightedRoundRobin,
        /// Uniformly at random.
        random: Random,
        /// At random in proportion to the weights.
        weighted_random: WeightedRandom,
        /// The fewest open connections of this balancer.
        least_connections: LeastConnections,
        /// The least (open connections + 1) / weight.
        weighted_least_connections: WeightedLeastConnections,
        /// The least (open connections + 1) x smoothed response time.
        least_response_time: LeastResponseTime,
        /// The fewest open connections among `d` drawn at random.
        power_of_d: PowerOfD(PowerConfig),
        /// The backend that owns the user's or the key's place on a hash ring.
        consistent_hash: ConsistentHash(HashConfig),
    }
}

config! {
    /// Choices among `d` backends.
    pub struct PowerConfig, short = d {
        /// How many are drawn.
        d: u64 = "2" in 1..=64 source "Mitzenmacher, The power of two choices, 2001",
        /// Whether one may be drawn twice.
        replace: bool = "true",
    }
}

config! {
    /// A hash ring.
    pub struct HashConfig, short = by {
        /// What is hashed.
        by: HashBy = "user",
        /// Points of each backend on the ring.
        virtual_nodes: u64 = "100" in 1..=10_000
            source "Dynamo-style stores use 100 to 200 per server",
    }
}

choice! {
    /// What a hash ring places.
    #[derive(Copy, PartialEq, Eq)]
    pub enum HashBy {
        /// The user id.
        user: User,
        /// The key of the item asked for.
        key: Key,
    }
}

impl BalanceConfig {
    /// The plan for backends of these names and weights.
    pub fn plan(&self, weights: Vec<f64>, sticky: bool, names: &[String]) -> BalancePlan {
        let mut nodes = 0;
        let strategy = match self {
            Self::RoundRobin => Strategy::RoundRobin,
            Self::WeightedRoundRobin => Strategy::WeightedRoundRobin,
            Self::Random => Strategy::Random,
            Self::WeightedRandom => Strategy::WeightedRandom,
            Self::LeastConnections => Strategy::LeastConnections,
            Self::WeightedLeastConnections => Strategy::WeightedLeastConnections,
            Self::LeastResponseTime => Strategy::LeastResponseTime,
            Self::PowerOfD(power) => {
                Strategy::PowerOfD { d: power.d.value as u32, replace: power.replace.value }
            }
            Self::ConsistentHash(hash) => {
                nodes = hash.virtual_nodes.value as u32;
                Strategy::ConsistentHash { by: hash.by.value }
            }
        };
        BalancePlan::new(strategy, weights, sticky, names, nodes)
    }
}

/// How a backend is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strategy {
    /// One after the other.
    RoundRobin,
    /// Smooth weighted round robin, as nginx does it.
    WeightedRoundRobin,
    /// Uniformly at random.
    Random,
    /// At random in proportion to the weights.
    WeightedRandom,
    /// The fewest open connections.
    LeastConnections,
    /// The least (open connections + 1) / weight.
    WeightedLeastConnections,
    /// The least (open connections + 1) x smoothed response time, as Linkerd's peak EWMA.
    LeastResponseTime,
    /// The fewest open connections among `d` drawn at random.
    PowerOfD {
        /// How many are drawn.
        d: u32,
        /// Whether one may be drawn twice.
        replace: bool,
    },
    /// The backend that owns the user's or the key's place on a hash ring.
    ConsistentHash {
        /// What is hashed.
        by: HashBy,
    },
}

impl Strategy {
    /// Whether the choice depends on the connections that are open, or on how long answers took.
    pub fn counts(&self) -> bool {
        matches!(
            self,
            Self::LeastConnections
                | Self::WeightedLeastConnections
                | Self::LeastResponseTime
                | Self::PowerOfD { .. }
        )
    }
}

/// What never changes about one balancer.
#[derive(Clone, Debug)]
pub struct BalancePlan {
    /// How a backend is chosen.
    pub strategy: Strategy,
    /// Weight of each backend, in the order of the backends.
    pub weights: Vec<f64>,
    /// Whether a user's first choice holds while that backend is eligible.
    pub sticky: bool,
    /// Points of the hash ring in order; empty for other strategies.
    pub ring: Vec<(u64, u16)>,
    /// Tells its draws from a call's others, and from those of another balancer on the way.
    pub salt: u64,
}

impl BalancePlan {
    /// Whether the choice depends on the user.
    pub fn knows_users(&self) -> bool {
        self.sticky || matches!(self.strategy, Strategy::ConsistentHash { by: HashBy::User, .. })
    }

    /// A plan; the ring gives every backend `virtual_nodes` points by the hash of its name.
    pub fn new(
        strategy: Strategy,
        weights: Vec<f64>,
        sticky: bool,
        names: &[String],
        virtual_nodes: u32,
    ) -> Self {
        let on_ring = matches!(strategy, Strategy::ConsistentHash { .. });
        let ring = if on_ring { ring::points(names, virtual_nodes) } else { Vec::new() };
        Self { strategy, weights, sticky, ring, salt: salt("balance") }
    }

    /// Plain round robin over `backends` equal ones.
    pub fn round_robin(backends: usize) -> Self {
        Self::new(Strategy::RoundRobin, vec![1.0; backends], false, &[], 0)
    }
}

/// So many backends at most are drawn for one choice: the range of `d`.
const SEEN: usize = 64;

/// What a choice may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// Key of the call's own draws.
    pub draw: DrawKey,
    /// The user asking.
    pub user: u32,
    /// Popularity rank of the item asked for.
    pub item: u64,
    /// Number of the item's data set.
    pub set: u64,
    /// The backend of the attempt before, to be avoided if there is another.
    pub avoid: Option<u16>,
}

/// The state of one balancer: its connections, its view of its backends.
#[derive(Clone, Debug)]
pub struct Balancer {
    open: Vec<u32>,
    /// Whether a backend is there at all; what is not is never chosen.
    listed: Vec<bool>,
    up: Vec<bool>,
    ejected_until: Vec<Instant>,
    /// Backends that may be chosen, in order; all that are there when none is up.
    eligible: Vec<u16>,
    eligible_bits: Vec<u64>,
    /// Kept only for [`Strategy::LeastConnections`].
    levels: Option<Levels>,
    /// Whether response times are smoothed, for [`Strategy::LeastResponseTime`].
    timed: bool,
    pointer: usize,
    smooth: Vec<f64>,
    response_ns: Vec<f64>,
    /// How often each backend has left: who was stuck to it before is free again.
    left: Vec<u16>,
    /// By user, the backend of the first choice and how often that had left by then.
    sticky: HashMap<u32, (u16, u16)>, // tidy: looked up by key, never iterated
}

/// Share of the newest response time in the smoothed one.
const SMOOTHING: f64 = 0.1;

impl Balancer {
    /// All backends of a plan up and idle.
    pub fn new(plan: &BalancePlan) -> Self {
        let backends = plan.weights.len();
        let counts = plan.strategy == Strategy::LeastConnections;
        let mut balancer = Self {
            open: vec![0; backends],
            listed: vec![true; backends],
            up: vec![true; backends],
            ejected_until: vec![Instant(i64::MIN); backends],
            eligible: Vec::with_capacity(backends),
            eligible_bits: vec![0; backends.div_ceil(64)],
            levels: counts.then(|| Levels::new(backends)),
            timed: plan.strategy == Strategy::LeastResponseTime,
            pointer: 0,
            smooth: vec![0.0; backends],
            response_ns: vec![0.0; backends],
            left: vec![0; backends],
            sticky: HashMap::new(),
        };
        balancer.refresh();
        balancer
    }

    /// Open connections to a backend.
    pub fn open(&self, backend: u16) -> u32 {
        self.open[backend as usize]
    }

    /// Whether a backend is there.
    pub fn is_listed(&self, backend: u16) -> bool {
        self.listed[backend as usize]
    }

    /// Puts a backend onto the list, as one of which nothing is known but whether it counts as up,
    /// or takes it off: it gets no new connection and nobody is stuck to it any more.
    pub fn list(&mut self, backend: u16, up: Option<bool>) {
        let index = backend as usize;
        self.listed[index] = up.is_some();
        self.up[index] = up.unwrap_or(false);
        self.ejected_until[index] = Instant(i64::MIN);
        self.response_ns[index] = 0.0;
        self.smooth[index] = 0.0;
        self.left[index] = self.left[index].wrapping_add(u16::from(up.is_none()));
        self.refresh();
    }

    /// Whether the health check holds a backend to be up.
    pub fn is_up(&self, backend: u16) -> bool {
        self.up[backend as usize]
    }

    /// Takes a backend in or out; returns whether that changed anything.
    pub fn set_up(&mut self, backend: u16, up: bool) -> bool {
        let changed = std::mem::replace(&mut self.up[backend as usize], up) != up;
        if changed {
            self.refresh();
        }
        changed
    }

    /// Ejects a backend until an instant; the caller calls [`Balancer::readmit`] then. Refused when
    /// more than `share_max` of the backends would be out (at least one may always be).
    pub fn eject(&mut self, backend: u16, until: Instant, share_max: f64, now: Instant) -> bool {
        let out = self.ejected_until.iter().filter(|&&end| end > now).count();
        let there = self.listed.iter().filter(|&&listed| listed).count();
        let allowed = ((there as f64 * share_max).floor() as usize).max(1);
        if self.ejected_until[backend as usize] > now || out >= allowed {
            return false;
        }
        self.ejected_until[backend as usize] = until;
        self.refresh();
        true
    }

    /// Ends an ejection that is over.
    pub fn readmit(&mut self, backend: u16, now: Instant) {
        let until = &mut self.ejected_until[backend as usize];
        if *until <= now {
            *until = Instant(i64::MIN);
            self.refresh();
        }
    }

    fn refresh(&mut self) {
        self.eligible.clear();
        let may = |backend: &u16| {
            let index = *backend as usize;
            self.listed[index] && self.up[index] && self.ejected_until[index].0 == i64::MIN
        };
        let all = 0..self.open.len() as u16;
        self.eligible.extend(all.clone().filter(may));
        if self.eligible.is_empty() {
            self.eligible.extend(all.filter(|&backend| self.listed[backend as usize]));
        }
        self.eligible_bits.fill(0);
        for &backend in &self.eligible {
            self.eligible_bits[backend as usize / 64] |= 1 << (backend % 64);
        }
    }

    fn is_eligible(&self, backend: u16) -> bool {
        self.eligible_bits[backend as usize / 64] >> (backend % 64) & 1 == 1
    }

    /// A connection to a backend opens.
    #[inline(always)]
    pub fn opened(&mut self, backend: u16) {
        let index = backend as usize;
        let count = self.open[index];
        self.open[index] = count + 1;
        if let Some(levels) = &mut self.levels {
            levels.shift(index, count as usize, count as usize + 1);
        }
    }

    /// A connection closes after `elapsed_ns`.
    #[inline(always)]
    pub fn closed(&mut self, backend: u16, elapsed_ns: i64) {
        let index = backend as usize;
        let count = self.open[index];
        self.open[index] = count - 1;
        if let Some(levels) = &mut self.levels {
            levels.shift(index, count as usize, count as usize - 1);
        }
        if !self.timed {
            return;
        }
        let smoothed = &mut self.response_ns[index];
        let elapsed = elapsed_ns as f64;
        *smoothed =
            if *smoothed == 0.0 { elapsed } else { *smoothed + SMOOTHING * (elapsed - *smoothed) };
    }

    /// Forgets all that it knows: the process that knew it died. Where it is told by others who is
    /// up, it is `told` so again.
    pub fn clear(&mut self, told: bool) {
        self.open.fill(0);
        if !told {
            self.up.fill(true); // What is not listed stays so.
        }
        self.ejected_until.fill(Instant(i64::MIN));
        self.response_ns.fill(0.0);
        self.sticky.clear();
        self.refresh();
        if let Some(levels) = &mut self.levels {
            *levels = Levels::new(self.open.len());
        }
    }

    /// Chooses a backend.
    #[inline(always)]
    pub fn pick(&mut self, plan: &BalancePlan, choice: Choice) -> u16 {
        if matches!(plan.strategy, Strategy::RoundRobin) && !plan.sticky && choice.avoid.is_none() {
            return self.next_in_turn(None);
        }
        if plan.sticky {
            if let Some(&(kept, left)) = self.sticky.get(&choice.user)
                && self.is_eligible(kept)
                && self.left[kept as usize] == left
                && choice.avoid != Some(kept)
            {
                return kept;
            }
            let picked = self.pick_fresh(plan, choice);
            self.sticky.insert(choice.user, (picked, self.left[picked as usize]));
            return picked;
        }
        self.pick_fresh(plan, choice)
    }

    fn pick_fresh(&mut self, plan: &BalancePlan, choice: Choice) -> u16 {
        let avoid = choice.avoid.filter(|_| self.eligible.len() > 1);
        match plan.strategy {
            Strategy::RoundRobin => self.next_in_turn(avoid),
            Strategy::WeightedRoundRobin => self.smooth_weighted(&plan.weights, avoid),
            Strategy::Random => self.random(choice.draw.child(plan.salt), avoid),
            Strategy::WeightedRandom => {
                let draw = choice.draw.child(plan.salt);
                self.weighted_random(&plan.weights, draw, avoid)
            }
            Strategy::LeastConnections => self.least_connections(avoid),
            Strategy::WeightedLeastConnections => {
                let weights = &plan.weights;
                let open = &self.open;
                let cost = |backend: usize| f64::from(open[backend] + 1) / weights[backend];
                Self::least(&self.eligible, &mut self.pointer, avoid, cost)
            }
            Strategy::LeastResponseTime => {
                let (open, response) = (&self.open, &self.response_ns);
                // Who has not answered yet is taken to be as fast as the fastest, and no faster.
                let known = response.iter().copied().filter(|&ns| ns > 0.0);
                let fastest = known.fold(f64::INFINITY, f64::min).min(1e18);
                let expected = |backend: usize| match response[backend] {
                    0.0 => fastest,
                    ns => ns,
                };
                let cost = |backend: usize| f64::from(open[backend] + 1) * expected(backend);
                Self::least(&self.eligible, &mut self.pointer, avoid, cost)
            }
            Strategy::PowerOfD { d, replace } => {
                self.least_of(d, replace, choice.draw.child(plan.salt), avoid)
            }
            Strategy::ConsistentHash { by } => {
                let point = match by {
                    HashBy::User => ring::user_point(choice.user),
                    HashBy::Key => ring::key_point(choice.item, choice.set),
                };
                self.on_ring(&plan.ring, point, avoid)
            }
        }
    }

    #[inline(always)]
    fn next_in_turn(&mut self, avoid: Option<u16>) -> u16 {
        loop {
            if self.pointer >= self.eligible.len() {
                self.pointer = 0;
            }
            let picked = self.eligible[self.pointer];
            self.pointer += 1;
            if Some(picked) != avoid {
                return picked;
            }
        }
    }

    fn smooth_weighted(&mut self, weights: &[f64], avoid: Option<u16>) -> u16 {
        let total: f64 = self.eligible.iter().map(|&backend| weights[backend as usize]).sum();
        let mut best = self.eligible[0];
        let mut best_credit = f64::NEG_INFINITY;
        for &backend in &self.eligible {
            let credit = &mut self.smooth[backend as usize];
            *credit += weights[backend as usize];
            if *credit > best_credit && Some(backend) != avoid {
                best = backend;
                best_credit = *credit;
            }
        }
        self.smooth[best as usize] -= total;
        best
    }

    #[inline]
    fn random(&self, draw: DrawKey, avoid: Option<u16>) -> u16 {
        let mut draw = draw.draw();
        loop {
            let picked = self.eligible[draw.below(self.eligible.len() as u64) as usize];
            if Some(picked) != avoid {
                return picked;
            }
        }
    }

    fn weighted_random(&self, weights: &[f64], draw: DrawKey, avoid: Option<u16>) -> u16 {
        let weight = |backend: &u16| weights[*backend as usize];
        let candidates = || self.eligible.iter().filter(|&&backend| Some(backend) != avoid);
        let mut left = draw.draw().unit() * candidates().map(weight).sum::<f64>();
        let mut last = self.eligible[0];
        for &backend in candidates() {
            last = backend;
            left -= weight(&backend);
            if left < 0.0 {
                break;
            }
        }
        last
    }

    fn least_connections(&mut self, avoid: Option<u16>) -> u16 {
        let (Some(levels), None) = (&self.levels, avoid) else {
            let open = &self.open;
            let cost = |backend: usize| f64::from(open[backend]);
            return Self::least(&self.eligible, &mut self.pointer, avoid, cost);
        };
        if self.pointer >= self.open.len() {
            self.pointer = 0;
        }
        let (picked, tie) =
            levels.first(&self.eligible_bits, self.pointer).expect("someone is eligible");
        if tie {
            self.pointer = picked + 1;
        }
        picked as u16
    }

    /// The eligible backend of least cost; a tie goes to the first one at or after the pointer.
    fn least(
        eligible: &[u16],
        pointer: &mut usize,
        avoid: Option<u16>,
        cost: impl Fn(usize) -> f64,
    ) -> u16 {
        let mut best: Option<(f64, u16)> = None;
        let mut tie = false;
        let start = eligible.partition_point(|&backend| (backend as usize) < *pointer);
        for &backend in eligible[start..].iter().chain(&eligible[..start]) {
            if Some(backend) == avoid {
                continue;
            }
            let this = cost(backend as usize);
            match best {
                Some((least, _)) if this > least => {}
                Some((least, _)) if this == least => tie = true,
                _ => {
                    best = Some((this, backend));
                    tie = false;
                }
            }
        }
        let picked = best.expect("someone is eligible").1;
        if tie {
            *pointer = picked as usize + 1;
        }
        picked
    }

    /// The fewest open connections among `d` drawn; a tie goes to the first one at or after the
    /// pointer, as everywhere.
    fn least_of(&mut self, d: u32, replace: bool, draw: DrawKey, avoid: Option<u16>) -> u16 {
        let mut draw = draw.draw();
        let n = self.eligible.len() as u64;
        let backends = self.open.len();
        let mut best: Option<(u32, usize, u16)> = None;
        let mut tie = false;
        let mut seen = [u16::MAX; SEEN];
        let wanted = if replace { d as usize } else { d.min(n as u32) as usize };
        for turn in 0..wanted {
            let picked = loop {
                let candidate = self.eligible[draw.below(n) as usize];
                if replace || !seen[..turn].contains(&candidate) {
                    break candidate;
                }
            };
            seen[turn] = picked;
            if Some(picked) == avoid {
                continue;
            }
            let open = self.open[picked as usize];
            let behind = (picked as usize + backends - self.pointer % backends) % backends;
            match best {
                Some((_, _, known)) if known == picked => {}
                Some((least, _, _)) if open > least => {}
                Some((least, near, _)) if open == least => {
                    tie = true;
                    if behind < near {
                        best = Some((open, behind, picked));
                    }
                }
                _ => {
                    best = Some((open, behind, picked));
                    tie = false;
                }
            }
        }
        let Some((_, _, picked)) = best else {
            return self.random(DrawKey(draw.below(u64::MAX)), avoid);
        };
        if tie {
            self.pointer = picked as usize + 1;
        }
        picked
    }

    fn on_ring(&self, ring: &[(u64, u16)], point: u64, avoid: Option<u16>) -> u16 {
        let found = ring::from_point(ring, point)
            .find(|&backend| self.is_eligible(backend) && Some(backend) != avoid);
        // Whoever is not on the ring takes nothing, also when all that are on it are down.
        let listed = || ring::from_point(ring, point).find(|&backend| self.is_listed(backend));
        found.or_else(listed).unwrap_or(self.eligible[0])
    }
}

#[cfg(test)]
mod tests;
