//! The creator's page and what it is made of, served from this binary: no build, no third party.

use hyper::header;
use hyper::{HeaderMap, StatusCode};
use maud::{DOCTYPE, Markup, html};

use super::problem::{Kind, Problem};
use super::reply::{self, Reply};

/// A file that the page loads.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const ASSETS: [Asset; 8] = [
    Asset { name: "style.css", content_type: CSS, bytes: include_str!("style.css") },
    Asset { name: "theme.js", content_type: JS, bytes: include_str!("theme.js") },
    Asset { name: "app.js", content_type: JS, bytes: include_str!("app.js") },
    Asset { name: "data.js", content_type: JS, bytes: include_str!("data.js") },
    Asset { name: "draw.js", content_type: JS, bytes: include_str!("draw.js") },
    Asset { name: "chart.js", content_type: JS, bytes: include_str!("chart.js") },
    Asset { name: "format.js", content_type: JS, bytes: include_str!("format.js") },
    Asset { name: "icon.svg", content_type: SVG, bytes: include_str!("icon.svg") },
];

/// A file of the page; 304 for those who have it already.
pub(super) fn asset(name: &str, headers: &HeaderMap) -> Result<Reply, Problem> {
    let asset = ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .ok_or_else(|| Problem::new(Kind::NotFound, format!("there is no file `{name}`")))?;
    let tag = format!("\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(asset.bytes.as_bytes()));
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|held| held.as_bytes() == tag.as_bytes());
    let mut reply = if known {
        reply::whole(StatusCode::NOT_MODIFIED, asset.content_type, "")
    } else {
        reply::whole(StatusCode::OK, asset.content_type, asset.bytes)
    };
    reply::set(reply.headers_mut(), header::CACHE_CONTROL, "no-cache");
    if let Ok(tag) = tag.parse() {
        reply.headers_mut().insert(header::ETAG, tag);
    }
    Ok(reply)
}

/// The creator's page. It is the same for everyone: the figures come over the API.
pub(super) fn page() -> Reply {
    reply::whole(StatusCode::OK, "text/html; charset=utf-8", document().into_string())
}

fn document() -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { "Tributary" }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                // Before the first paint, so that a chosen theme does not flash.
                script src="/assets/theme.js" {}
                link rel="stylesheet" href="/assets/style.css";
                script type="module" src="/assets/app.js" {}
            }
            body data-state="loading" {
                a.skip href="#main" { "Skip to the figures" }
                (bar())
                p.banner #banner role="status" hidden {}
                main #main tabindex="-1" {
                    (locked())
                    (welcome())
                    div #dashboard aria-busy="true" {
                        (heading())
                        (overview())
                        div.columns {
                            div.stacked { (funnel()) (commissions()) }
                            (leaderboard())
                        }
                        (conversions())
                    }
                }
                (foot())
                noscript { p.banner { "This page draws its figures with a script of its own; please allow scripts." } }
            }
        }
    }
}

/// Product, creator, state of the line, theme.
fn bar() -> Markup {
    html! {
        header.bar {
            a.brand href="/" aria-label="Tributary" {
                svg viewBox="0 0 32 32" aria-hidden="true" {
                    path.stream-a d="M4 6c8 0 9 10 16 10h8" {}
                    path.stream-b d="M4 26c8 0 9-10 16-10" {}
                    path.stream-c d="M4 16h10" {}
                }
                span { "Tributary" }
            }
            label.picker hidden #picker {
                span.hidden { "Creator" }
                select #creator {}
            }
            span.grow {}
            span.line #line role="status" data-line="wait" { i {} span { "Connecting" } }
            button.icon #theme type="button" aria-label="Switch between light and dark" title="Light or dark" {
                svg.sun viewBox="0 0 24 24" aria-hidden="true" {
                    circle cx="12" cy="12" r="4" {}
                    path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4" {}
                }
                svg.moon viewBox="0 0 24 24" aria-hidden="true" { path d="M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z" {} }
            }
        }
    }
}

/// When there is no key, or none that may see this.
fn locked() -> Markup {
    html! {
        section.welcome #locked hidden aria-labelledby="locked-title" {
            h1 #locked-title { "An API key, please" }
            p #locked-why {}
            form #unlock {
                label for="key" { "Key" }
                input #key name="key" type="password" autocomplete="off" spellcheck="false" placeholder="trb_…";
                button type="submit" { "Show the figures" }
            }
            p.quiet {
                "It needs the scope read. It stays in this tab. The first key was printed when the server first started; "
                code { "tributary keys create" } " makes others."
            }
        }
    }
}

/// When there is no creator yet.
fn welcome() -> Markup {
    html! {
        section.welcome #welcome hidden aria-labelledby="welcome-title" {
            h1 #welcome-title { "Waiting for the first event" }
            p { "Send a creator's settings, and this page comes alive by itself." }
            div.code {
                pre { code #example {} }
                button type="button" #copy { "Copy" }
            }
            p.quiet { "Every path is described in " a href="/v1/openapi.json" { "openapi.json" } "." }
        }
    }
}

fn heading() -> Markup {
    html! {
        div.heading {
            div {
                h1 #name { span.skeleton {} }
                p.quiet #about { span.skeleton.long {} }
            }
            div.choices {
                div.segments #currencies role="group" aria-label="Currency" hidden {}
                div.segments #ranges role="group" aria-label="Span" {}
            }
        }
    }
}

/// The figures of the span, and the one that is drawn.
fn overview() -> Markup {
    html! {
        section.card.overview aria-labelledby="overview-title" {
            h2.hidden #overview-title { "Overview" }
            div.figures #figures role="group" aria-label="Figure to draw" {}
            div.chart {
                div.legend aria-hidden="true" #legend {}
                div.plot #plot {}
                p.empty #chart-empty hidden {}
            }
            details.table {
                summary { "Show as a table" }
                div.scroll tabindex="0" role="region" aria-label="The drawn figure as a table" {
                    table #series-table {}
                }
            }
        }
    }
}

fn funnel() -> Markup {
    html! {
        section.card aria-labelledby="funnel-title" {
            header { h2 #funnel-title { "Funnel" } p.quiet { "From a share to a customer" } }
            ol.funnel #funnel {}
        }
    }
}

fn leaderboard() -> Markup {
    html! {
        section.card aria-labelledby="board-title" {
            header {
                h2 #board-title { "Leaderboard" }
                label.small {
                    span.hidden { "Rank by" }
                    select #board-metric {
                        option value="earnings" { "Earnings" }
                        option value="revenue" { "Revenue" }
                        option value="referrals" { "Referrals" }
                        option value="customers" { "Customers" }
                        option value="clicks" { "Clicks" }
                        option value="shares" { "Shares" }
                    }
                }
            }
            ol.board #board {}
            p.empty #board-empty hidden {}
        }
    }
}

fn commissions() -> Markup {
    html! {
        section.card aria-labelledby="commissions-title" {
            header { h2 #commissions-title { "Commissions" } p.quiet { "All time" } }
            p.total #commission-total {}
            div.stack #commission-stack aria-hidden="true" {}
            dl.states #commission-states {}
        }
    }
}

fn conversions() -> Markup {
    html! {
        section.card.below aria-labelledby="latest-title" {
            header { h2 #latest-title { "Latest conversions" } }
            div.scroll tabindex="0" role="region" aria-labelledby="latest-title" {
                table.latest {
                    thead {
                        tr {
                            th scope="col" { "When" }
                            th scope="col" { "What" }
                            th.wide scope="col" { "Customer" }
                            th.wide scope="col" { "Plan" }
                            th scope="col" { "Credited" }
                            th.number scope="col" { "Amount" }
                        }
                    }
                    tbody #latest {}
                }
            }
            p.empty #latest-empty hidden {}
        }
    }
}

fn foot() -> Markup {
    html! {
        footer {
            span #as-of {}
            span.grow {}
            a href="/v1/openapi.json" { "API" }
        }
    }
}
