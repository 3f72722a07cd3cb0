//! What is around every page: head, navigation, the place for messages.

use fanfare_domain::organization::Role;
use maud::{DOCTYPE, Markup, html};

use crate::assets::ASSETS;
use crate::components::csrf;
use crate::visitor::Visitor;

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Audiences,
    Customers,
    Deliveries,
    Settings,
    /// A page that belongs to none.
    None,
}

/// A page of somebody who has signed in.
pub(crate) fn page(visitor: &Visitor, title: &str, section: Section, body: &Markup) -> Markup {
    let entries = [
        (
            Section::Audiences,
            "Audiences",
            "/app/audiences",
            Role::Viewer,
        ),
        (
            Section::Customers,
            "Consumers",
            "/app/customers",
            Role::Viewer,
        ),
        (
            Section::Deliveries,
            "Deliveries",
            "/app/deliveries",
            Role::Viewer,
        ),
        (
            Section::Settings,
            "Settings",
            "/app/settings/integrations",
            Role::Editor,
        ),
    ];
    let entries = entries.into_iter().filter(|(.., role)| visitor.may(*role));
    document(
        title,
        &html! {
            a.skip href="#content" { "Skip to content" }
            header.bar data-session=(visitor.session.mark()) {
                a.brand href="/app/audiences" { img src=(ASSETS.icon.path) alt="" width="26" height="26"; "Fanfare" }
                nav aria-label="Main" {
                    ul {
                        @for (of, name, href, _) in entries {
                            li { a href=(href) aria-current=[(of == section).then_some("page")] data-name=(name) { (name) } }
                        }
                    }
                }
                div.who {
                    span.organization dir="auto" title=(visitor.organization_name) { (visitor.organization_name) }
                    span.role { (visitor.caller.role.as_str()) }
                    form method="post" action="/auth/sign-out" hx-boost="false" {
                        (csrf(visitor))
                        button.quiet type="submit" { "Sign out" }
                    }
                }
            }
            main #content tabindex="-1" { (body) }
        },
    )
}

/// A page of nobody in particular.
pub(crate) fn bare(title: &str, body: &Markup) -> Markup {
    document(
        title,
        &html! {
            main.bare #content {
                p.brand { img src=(ASSETS.icon.path) alt="" width="26" height="26"; "Fanfare" }
                (body)
            }
        },
    )
}

fn document(title: &str, body: &Markup) -> Markup {
    let assets = &*ASSETS;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) " · Fanfare" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="dark light";
                meta name="htmx-config" content=r#"{"includeIndicatorCSS":false,"extensions":"none"}"#;
                link rel="icon" type="image/svg+xml" href=(assets.icon.path);
                link rel="preload" as="font" type="font/woff2" href=(assets.font.path) crossorigin;
                link rel="stylesheet" href=(assets.style.path) integrity=(assets.style.integrity);
                script defer src=(assets.htmx.path) integrity=(assets.htmx.integrity) {}
                script defer src=(assets.script.path) integrity=(assets.script.integrity) {}
            }
            body hx-boost:inherited="true" { (body) }
        }
    }
}
