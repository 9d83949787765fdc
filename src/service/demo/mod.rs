//! stub
use super::*;
/// x
pub struct DemoOptions {
    /// x
    pub loans: u64,
    /// x
    pub seed: u64,
}
/// x
pub async fn run(_: &Services, _: DemoOptions) -> Result<String, ServiceError> {
    Ok("stub".into())
}
