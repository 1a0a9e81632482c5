//! What a run stands on: PostgreSQL, Kafka, nginx, and our programs with their settings.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use local_stack::{Control, Durability, Program};
use serde_json::{Value, json};
use test_servers::{Authority, Leaf};

use crate::nginx::{Nginx, Scheme};
use crate::stack::Stack;

/// Checks at a time of the one host that there is. Thousands at a time cost both sides more for each,
/// and a checker that has more to do than it can, if only for a moment, would not catch up.
pub(crate) const OF_ONE_HOST: u32 = 256;

/// Everything around the programs that are measured. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) nginx: Nginx,
    pub(crate) stack: Stack,
    /// Who has signed nginx's certificate, in PEM.
    authority: String,
    /// How many spools there were.
    spools: AtomicU32,
}

/// A database with sites in it.
#[derive(Clone, Debug)]
pub(crate) struct Sites {
    pub(crate) database: String,
    pub(crate) count: u32,
    /// Most checks of them at the same time.
    at_a_time: u32,
}

/// What a site is like.
#[derive(Clone, Debug)]
pub(crate) struct SiteKind {
    pub(crate) scheme: Scheme,
    pub(crate) url: String,
    pub(crate) interval: String,
    pub(crate) timeout: &'static str,
    pub(crate) at_a_time: u32,
}

impl Ground {
    /// Starts everything. Our programs must have been built beside this one.
    pub(crate) fn start(control: &Control) -> Result<Self> {
        let stack = Stack::start(&["admin", "checker"], Durability::FastForTests, control)?;
        let authority = Authority::root()?;
        let identity = authority.issue(&Leaf::default())?;
        let nginx = Nginx::start(&stack.path("nginx"), &identity, control)?;
        fs::write(stack.path("authority.pem"), authority.pem())?;
        stack.admin("postgres", &["topics", "create"])?;
        Ok(Self {
            nginx,
            authority: authority.pem().to_owned(),
            stack,
            spools: AtomicU32::new(0),
        })
    }

    /// A new database of this name, with `count` sites that are all alike.
    pub(crate) fn sites(&self, name: &str, count: u32, kind: &SiteKind) -> Result<Sites> {
        self.stack.database(name)?;
        if count > 0 {
            let file = self.stack.path(&format!("{name}.json"));
            fs::write(&file, json!({ "sites": [self.site(kind)] }).to_string())?;
            let import = ["sites", "import", &file.to_string_lossy()];
            self.stack.admin(name, &import)?;
            self.stack.postgres().query(name, &copies(count - 1))?;
        }
        Ok(Sites {
            database: name.to_owned(),
            count,
            at_a_time: kind.at_a_time.max(1),
        })
    }

    fn site(&self, kind: &SiteKind) -> Value {
        let mut site = json!({
            "url": kind.url,
            "interval": kind.interval,
            "timeout": kind.timeout,
        });
        if kind.scheme == Scheme::Https {
            site["tls_ca"] = json!(self.authority);
        }
        site
    }

    /// A checker of these sites.
    pub(crate) fn checker(&self, sites: &Sites) -> Program {
        // A new one each time: nobody has to deliver what the one before has left.
        let spool = self.spools.fetch_add(1, Ordering::Relaxed);
        let spool = self.stack.path(&format!("spool-{spool}"));
        self.stack
            .program("checker", &sites.database)
            .env("CHECKER_ALLOW_PRIVATE_TARGETS", "true")
            .env("CHECKER_SPOOL_DIR", spool)
            .env("CHECKER_MAX_IN_FLIGHT", sites.at_a_time.to_string())
            .env("CHECKER_MAX_PER_HOST", sites.at_a_time.to_string())
    }
}

/// Makes so many copies of the only site there is.
fn copies(count: u32) -> String {
    format!(
        "INSERT INTO sites OVERRIDING SYSTEM VALUE
         SELECT copy.*
         FROM sites AS original,
              generate_series(1, {count}) AS number,
              jsonb_populate_record(
                  original,
                  jsonb_build_object('id', original.id + number, 'name', 'site ' || number)
              ) AS copy"
    )
}
