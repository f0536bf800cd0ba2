//! Every kind of server, by one body of tests; and what each kind has of its own. These tests fail, they are not skipped, where a
//! server, docker or an image is missing: scripts/servers, scripts/images.

#[path = "../support/servers.rs"]
mod servers;

mod body;
mod containers;
mod escape;
mod helper;
mod kinds;
mod local;
mod tls;
mod url;

use kinds::Kind;

/// The same tests for each kind.
macro_rules! on_each_kind {
    ($($kind:ident = $value:expr;)*) => {$(
        mod $kind {
            use super::*;

            #[test]
            fn the_administrator_makes_roles_that_log_in_with_their_password_alone() {
                body::the_administrator_makes_roles_that_log_in_with_their_password_alone($value);
            }

            #[test]
            fn other_programs_connect_by_the_environment() {
                body::other_programs_connect_by_the_environment($value);
            }

            #[test]
            fn a_server_that_is_killed_is_noticed() {
                body::a_server_that_is_killed_is_noticed($value);
            }

            #[test]
            fn a_server_that_is_dropped_leaves_nothing() {
                body::a_server_that_is_dropped_leaves_nothing($value);
            }

            #[test]
            fn an_owner_that_is_no_superuser_does_not_get_out() {
                escape::an_owner_that_is_no_superuser_does_not_get_out($value);
            }

            #[test]
            fn making_roles_is_a_way_out_before_16_alone() {
                escape::making_roles_is_a_way_out_before_16_alone($value);
            }
        }
    )*};
}

on_each_kind! {
    local_15 = Kind::Local(15);
    container_15 = Kind::Container(15);
    container_17 = Kind::Container(17);
    container_18 = Kind::Container(18);
    url_15 = Kind::Url(15);
}
