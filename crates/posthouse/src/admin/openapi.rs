//! The machine-readable description of the API, made from the handlers themselves.

use axum::Json;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    backups, connections, destinations, login, messages, node, problem, relay, store, subscriptions,
};

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(title = "Posthouse admin API", description = "Looks at a node and changes it."),
    paths(
        login::login,
        node::show_node,
        destinations::list_queues,
        destinations::show_queue,
        destinations::delete_queue,
        destinations::purge_queue,
        destinations::redrive_queue,
        messages::browse_queue,
        destinations::list_topics,
        destinations::show_topic,
        subscriptions::list_subscriptions,
        subscriptions::delete_subscription,
        connections::list_connections,
        store::show_store,
        backups::hold_store,
        backups::renew_hold,
        backups::end_hold,
        relay::alarms::list_alarms,
        relay::alarms::list_past_alarms,
        relay::alarms::list_rules,
        relay::sources::list_sources,
        relay::sources::show_source,
        relay::sources::poke_source,
        relay::retention::show_retention,
        relay::groups::list_groups,
        relay::groups::switch_group,
        relay::codes::list_codes,
        relay::endpoints::list_endpoints,
        relay::windows::list_windows,
        relay::buckets::list_nodes,
        relay::buckets::list_buckets,
        relay::buckets::set_buckets,
        relay::rows::list_rows,
        relay::rows::show_row,
        relay::actions::retry_rows,
        relay::actions::skip_rows,
        relay::actions::cancel_rows,
        relay::actions::replay_rows,
        relay::actions::retry_key,
        relay::actions::skip_key,
        relay::blocked::list_blocked,
        relay::unfed::list_unfed,
        relay::holds::list_holds,
        relay::holds::add_hold,
        relay::holds::end_hold,
        relay::instances::list_discoveries,
        relay::instances::list_instances,
        relay::instances::drain_instance,
        relay::instances::undrain_instance,
    ),
    components(schemas(problem::Problem)),
    modifiers(&BearerToken),
    security(("token" = [])),
)]
pub(super) struct Description;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", scheme);
    }
}

/// Answers the description.
pub(crate) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use utoipa::OpenApi;

    use super::Description;

    /// The description is compared with a file, so that no change of the API goes unnoticed.
    /// With `POSTHOUSE_BLESS` set the file is written anew.
    #[test]
    fn the_description_is_as_it_was_agreed_on() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        let described = Description::openapi().to_pretty_json().expect("it is JSON") + "\n";
        if std::env::var_os("POSTHOUSE_BLESS").is_some() {
            std::fs::write(&path, &described).expect("it can be written");
        }
        let agreed = std::fs::read_to_string(&path).expect("it is there");
        assert!(described == agreed, "run the test with POSTHOUSE_BLESS=1 and look at the change");
    }
}
