//! What scenarios write that several kinds share: machines, instances, data sets, addresses.
//!
//! Words as written, with their places; ids come with [`names`](super::names).

use crate::config;
use crate::language::shape::Json;
use crate::language::{Name, Names, OneOrMany};
use crate::policy::call::CallConfig;
use crate::random::{Distribution, PopularityConfig};
use crate::scalar;
use crate::units::{Bandwidth, Bytes, Count, Factor, Price, Rate, UnitError, UnitErrorKind};

config! {
    /// Keys of every kind.
    pub struct Common {
        /// Number of machines that run it.
        instances: Count = "1" in 1..=60_000,
        /// The machine that each instance has for itself.
        machine: Option<MachineConfig> = "none",
        /// The machine, shared with others, that its one instance runs on.
        host: Option<Name> = "none",
        /// From the start of a process until it serves.
        startup: Distribution = "0s",
        /// The regions in which it has copies; all of them when left out.
        r#in: OneOrMany<Name> = "[]",
        /// What an instance costs by the time, when no row of the price table says it.
        price: Option<Price> = "none",
    }
}

config! {
    /// Keys of every kind that calls others.
    pub struct Caller {
        /// What it does about its calls, by target.
        calls: Names<CallConfig> = "{}",
    }
}

config! {
    /// One real machine.
    pub struct MachineConfig, short = r#type {
        /// A row of the price table: its cores, memory and price. Keys beside it win.
        r#type: Option<RowName> = "none",
        /// Cores; work is shared over them. `unlimited`: no contention.
        cores: Option<Count> = "none" in 1..=1_000_000 source "a choice by kind: 4, 2, 1",
        /// Speed of a core; 2x serves twice the work in the same time.
        speed: Factor = "1x",
        /// Memory; a database keeps pages in its share of it.
        memory: Option<Bytes> = "none" source "16GB, an AWS m5.xlarge",
        /// Its storage.
        disk: DiskConfig = "{}",
        /// Bandwidth of its network interface: answers leave it one after the other. What comes in,
        /// and the calls it makes, take none of it.
        nic: Bandwidth = "unlimited",
    }
}

config! {
    /// A storage device.
    pub struct DiskConfig {
        /// Latency of a read.
        read: Distribution = "1ms" source "AWS EBS gp3: 1-2 ms typical",
        /// Operations per second, reads and flushes together.
        iops: Count = "3000" in 1..=1_000_000_000 source "AWS EBS gp3",
    }
    unbuilt { bandwidth: "bytes per second of a disk" }
}

config! {
    /// A set of items that operations read and write.
    pub struct DataConfig {
        /// How many items.
        items: Count = required,
        /// Size of an item; memory and caches fill up with it.
        size: Bytes = "1kB" likely "224B..4.7kB"
            source "Twitter cache traces 2020: p50 224 B, p75 1,030 B, p90 4.7 kB",
        /// Which items are asked for; items are numbered by their popularity.
        popularity: PopularityConfig = "uniform",
        /// The component that steps naming this data set go to.
        r#in: Option<Name> = "none",
        /// Regions whose users' items may be served only there: a name server does not send these
        /// users elsewhere, whatever happens.
        residency: OneOrMany<Name> = "[]",
        /// How often each item changes by itself, as files of a site do: evenly in time, each item
        /// at a phase of its own. Such items are not written.
        changes: Rate = "0/s",
    }
}

/// The name of a row of the price table: `m5.xlarge`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowName(pub String);

impl RowName {
    /// What a name of a row looks like.
    pub const PATTERN: &str = "^[a-z][a-z0-9_]*(\\.[a-z0-9_]+)*$";

    /// Reads a name of a row.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let (first, rest) = text.split_once('.').unwrap_or((text, "0"));
        let part = |part: &str| {
            let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            !part.is_empty() && part.bytes().all(fits)
        };
        if Name::parse(first).is_ok() && rest.split('.').all(part) {
            return Ok(Self(text.to_string()));
        }
        let message = format!("`{text}` is no name of a row of the price table");
        Err(UnitError::new(UnitErrorKind::Malformed, message, "write it like `m5.xlarge`"))
    }
}

scalar!(RowName, "a row of the price table", Json::Pattern(RowName::PATTERN), ["m5.xlarge"]);

/// A component, a part of it, or a place: `web`, `web.3`, `db.primary`, `eu.web.3`, `us.zone.2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The region, if it names one before the component.
    pub region: Option<String>,
    /// The name of a component or a place; `zone` for a zone.
    pub component: String,
    /// Which part of it.
    pub part: Part,
}

/// A part of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All its instances.
    All,
    /// The instance of a number, from 1.
    Instance(u32),
    /// The node that takes the writes at that time.
    Primary,
    /// One of the nodes that follow at that time, from 1.
    Replica(u32),
}

impl Address {
    /// What an address looks like.
    pub const PATTERN: &str = "^([a-z][a-z0-9_]*\\.)?[a-z][a-z0-9_]*\
                               (\\.[1-9][0-9]*|\\.primary|\\.replica\\.[1-9][0-9]*)?$";

    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let words: Vec<&str> = text.split('.').collect();
        let is_part = |word: &str| {
            matches!(word, "primary" | "replica") || word.bytes().all(|byte| byte.is_ascii_digit())
        };
        let (region, rest) = match words[..] {
            [first, second, ..] if !is_part(second) => (Some(first), &words[1..]),
            _ => (None, &words[..]),
        };
        let region = region.map(|name| Name::parse(name).map(|name| name.0)).transpose()?;
        let name = rest[0];
        let component = Name::parse(name)?.0;
        let number = |number: &str| match number {
            "0" => {
                let what = "instances are numbered from 1";
                Err(UnitError::new(UnitErrorKind::OutOfRange, what, "write `.1`"))
            }
            number => number.parse().map_err(|_| {
                UnitError::new(
                    UnitErrorKind::Malformed,
                    format!("`{number}` is no number of an instance"),
                    format!("write `{name}` for all of them or `{name}.1` for the first"),
                )
            }),
        };
        let part = match rest[1..] {
            [] => Part::All,
            ["primary"] => Part::Primary,
            ["replica", one] => Part::Replica(number(one)?),
            ["replica"] => {
                let message = format!("`{text}` does not say which replica");
                let help = format!("write `{name}.replica.1`");
                return Err(UnitError::new(UnitErrorKind::Malformed, message, help));
            }
            [one] => Part::Instance(number(one)?),
            _ => {
                let message = format!("`{text}` is no address");
                let help =
                    format!("write `{name}`, `{name}.1`, or for a database `{name}.primary`");
                return Err(UnitError::new(UnitErrorKind::Malformed, message, help));
            }
        };
        Ok(Self { region, component, part })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(region) = &self.region {
            write!(f, "{region}.")?;
        }
        f.write_str(&self.component)?;
        match self.part {
            Part::All => Ok(()),
            Part::Instance(number) => write!(f, ".{number}"),
            Part::Primary => f.write_str(".primary"),
            Part::Replica(number) => write!(f, ".replica.{number}"),
        }
    }
}

scalar!(Address, "an address", Json::Pattern(Address::PATTERN), ["web", "web.3", "db.primary"]);

/// How much fits into a cache: a count is items, a size is bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CapacityConfig {
    /// So many items, or everything.
    Items(Count),
    /// So many bytes.
    Bytes(Bytes),
}

impl CapacityConfig {
    /// Reads a capacity.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let count = Count::parse(text);
        if let Ok(count) = count {
            return Ok(Self::Items(count));
        }
        Bytes::parse(text).map(Self::Bytes)
    }
}

scalar!(CapacityConfig, "a capacity", Json::NumberOr("^.+$"), ["500K", "2GB", "unlimited"]);
