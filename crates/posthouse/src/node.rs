//! x
use crate::config::Config;
use crate::failure::Failure;
pub(crate) fn run(_config: Config) -> Result<(), Failure> {
    Ok(())
}
