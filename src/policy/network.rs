//! Network delay between two places: round trips as `ping` shows them, one draw per call, half of
//! it on the way there and half on the way back.
//!
//! It knows hosts and zones as numbers, and nothing of what is sent.

use crate::config;
use crate::random::{Distribution, Sampler};

config! {
    /// Round-trip times, as `ping` shows them. Half of one is a way.
    pub struct NetworkConfig {
        /// Between two components on one machine.
        within_host: Distribution = "0s",
        /// Between two machines of one zone.
        within_zone: Distribution = "0s" source "AWS: 0.1-0.3 ms measured",
        /// Between two zones.
        between_zones: Distribution = "0s" source "AWS: 0.5-1.5 ms measured",
        /// Between a user and the entry.
        users: Distribution = "0s" source "a choice; p50 30-60 ms to a region of the continent",
        /// Round trips that opening a connection takes, paid after a timeout has closed one.
        connect: u64 = "0" in 0..=100 source "TCP 1, with TLS 1.3 2",
    }
    unbuilt { links: "delays between regions", default: "delays between regions" }
}

impl NetworkConfig {
    /// The plan.
    pub fn plan(&self) -> NetworkPlan {
        NetworkPlan {
            within_host: self.within_host.value.plan(),
            within_zone: self.within_zone.value.plan(),
            between_zones: self.between_zones.value.plan(),
            users: self.users.value.plan(),
            connect: self.connect.value as u32,
        }
    }
}

/// Where an instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The machine.
    pub machine: u32,
    /// The zone, from 0.
    pub zone: u16,
}

/// Round-trip times.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// Between two components on one machine.
    pub within_host: Sampler,
    /// Between two machines of one zone.
    pub within_zone: Sampler,
    /// Between two zones.
    pub between_zones: Sampler,
    /// Between a user and the entry.
    pub users: Sampler,
    /// Round trips that opening a connection takes.
    pub connect: u32,
}

impl NetworkPlan {
    /// No delay anywhere.
    pub fn none() -> Self {
        let zero = || Sampler::constant(0);
        Self {
            within_host: zero(),
            within_zone: zero(),
            between_zones: zero(),
            users: zero(),
            connect: 0,
        }
    }
}
