//! ActiveMQ from Debian's packages, with a configuration, a port and a directory of its own. Its
//! journal keeps the settings that it comes with: it syncs before it confirms.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const HOME: &str = "/usr/share/activemq";
const START_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// A broker that runs until this is dropped.
pub(super) struct ActiveMq {
    address: SocketAddr,
    child: Child,
    dir: PathBuf,
}

impl ActiveMq {
    /// Starts a broker that keeps everything in `dir`, which is emptied before.
    pub(super) fn start(dir: &Path) -> Result<ActiveMq> {
        let _ = fs::remove_dir_all(dir);
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        // Nobody else takes a port that was free just now, as far as a bench is concerned.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = dir.join("activemq.xml");
        fs::write(&file, configuration(address, dir))?;
        let log = File::create(dir.join("log"))?;
        let mut command = Command::new("java");
        command.args(["-Xms1g", "-Xmx1g"]);
        command.arg(format!("-Dactivemq.home={HOME}"));
        command.arg(format!("-Dactivemq.base={}", dir.display()));
        command.args(["-jar", &format!("{HOME}/bin/activemq.jar"), "start"]);
        command.arg(format!("xbean:file:{}", file.display())).current_dir(dir);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("cannot start `java`")?;
        let mut peer = ActiveMq { address, child, dir: dir.to_path_buf() };
        peer.await_start()?;
        Ok(peer)
    }

    /// Where it speaks STOMP.
    pub(super) fn address(&self) -> String {
        format!("stomp://{}", self.address)
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn await_start(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_MAX;
        while TcpStream::connect(self.address).is_err() {
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("ActiveMQ does not start; see {}", self.dir.join("log").display());
            }
            std::thread::park_timeout(POLL);
        }
        Ok(())
    }
}

impl Drop for ActiveMq {
    fn drop(&mut self) {
        // It is thrown away with all that it keeps, so it need not end in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(self.dir.join("data"));
    }
}

fn configuration(address: SocketAddr, dir: &Path) -> String {
    let data = dir.join("data");
    let data = data.display();
    format!(
        r#"<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans
    http://www.springframework.org/schema/beans/spring-beans.xsd
    http://activemq.apache.org/schema/core
    http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" brokerName="bench"
      dataDirectory="{data}">
    <persistenceAdapter><kahaDB directory="{data}/kahadb"/></persistenceAdapter>
    <transportConnectors>
      <transportConnector name="stomp" uri="stomp://{address}?maximumConnections=12000"/>
    </transportConnectors>
  </broker>
</beans>
"#
    )
}
