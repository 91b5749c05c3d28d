//! Paths, methods, parameters, and the headers of every answer.

use hyper::StatusCode;

use super::client::{empty, request, send};
use super::server::{Server, limits};

#[tokio::test]
async fn an_unknown_path_is_a_404_document() {
    let server = Server::start(limits()).await;
    for path in ["/nothing", "/v1", "/v1/creators/", "/v1/creators/a/b/c/d", "/assets/none.js", "/%", "//"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_method_is_a_405_that_says_which_are_right() {
    let server = Server::start(limits()).await;
    for (method, path, allow) in [
        ("DELETE", "/v1/creators", "GET, HEAD"),
        ("GET", "/v1/events", "POST"),
        ("HEAD", "/v1/events", "POST"),
        ("OPTIONS", "/v1/events", "POST"),
        ("PUT", "/", "GET, HEAD"),
    ] {
        let answer = send(server.addr, request(method, path).body(empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(answer.header("allow"), allow);
    }
    server.stop().await;
}

#[tokio::test]
async fn head_answers_as_get_does_without_the_body() {
    let server = Server::start(limits()).await;
    // From the first look on the same question gets the same answer.
    while server.get("/readyz").await.status != StatusCode::OK {}
    for path in ["/", "/livez", "/v1/openapi.json", "/v1/creators", "/assets/app.js", "/nothing"] {
        let whole = server.get(path).await;
        let head = send(server.addr, request("HEAD", path).body(empty()).unwrap()).await;
        assert_eq!(head.status, whole.status, "{path}");
        assert!(head.bytes.is_empty());
        assert_eq!(head.header("content-type"), whole.header("content-type"));
        assert_eq!(head.header("content-length"), whole.bytes.len().to_string(), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_answer_is_closed_to_other_origins() {
    let server = Server::start(limits()).await;
    for path in ["/", "/assets/app.js", "/v1/creators", "/nothing", "/metrics", "/health"] {
        let request = request("GET", path).header("origin", "https://evil.example");
        let answer = send(server.addr, request.body(empty()).unwrap()).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(!answer.header("content-security-policy").contains("unsafe"));
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_host_that_does_not_mean_this_machine_is_refused() {
    let server = Server::start(limits()).await;
    for (host, served) in [
        ("localhost", true),
        ("LocalHost:8080", true),
        ("127.0.0.1:8080", true),
        ("[::1]:8080", true),
        ("demo.localhost", true),
        ("evil.example", false),
        ("evil.example:8080", false),
        ("127.0.0.1.evil.example", false),
        ("10.0.0.1", false),
    ] {
        let answer = send(server.addr, request("GET", "/livez").header("host", host).body(empty()).unwrap()).await;
        assert_eq!(answer.status == StatusCode::OK, served, "{host}");
        if !served {
            assert_eq!(answer.problem(), "misdirected");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_parameter_that_is_not_understood_is_refused_by_name() {
    let server = Server::start(limits()).await;
    for (path, name) in [
        ("/v1/creators?limt=5", "limt"),
        ("/v1/creators?limit=0", "limit"),
        ("/v1/creators?limit=1001", "limit"),
        ("/v1/creators?limit=5&limit=6", "limit"),
        ("/v1/creators?limit=%ff", "limit"),
        ("/v1/creators?cursor=zz", "cursor"),
        ("/v1/creators?cursor=", "cursor"),
        ("/v1/creators?limit", "limit"),
        ("/v1/creators/%ff", "creator"),
        ("/v1/creators/%zz", "creator"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::BAD_REQUEST, "invalid-parameter"),
            "{path}"
        );
        assert_eq!(answer.json()["parameter"], name, "{path}");
    }
    let long = format!("/v1/creators/{}", "x".repeat(65));
    assert_eq!(server.get(&long).await.json()["parameter"], "creator");
    let answer = server.get_at("/v1/creators", "not-a-token").await;
    assert_eq!(answer.json()["parameter"], "X-Min-Position");
    server.stop().await;
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let server = Server::whole().await;
    let answer = server.get("/v1/creators/no%2Fbody").await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::NOT_FOUND, "unknown-creator"));
    assert!(answer.json()["detail"].as_str().unwrap().contains("`no/body`"));
    server.stop().await;
}

#[tokio::test]
async fn the_page_and_its_files_load_and_are_not_sent_twice() {
    let server = Server::start(limits()).await;
    let page = server.get("/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let html = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(!html.contains("http://") && !html.contains("https://"), "a third party is asked");
    assert!(!html.contains("style=") && !html.contains("<script>"), "the policy forbids inline styles and scripts");
    let named = |text: &str| -> Vec<String> {
        text.split("\"/assets/").skip(1).map(|rest| format!("/assets/{}", rest.split('"').next().unwrap())).collect()
    };
    let (mut wanted, mut loaded) = (named(&html), std::collections::BTreeSet::new());
    while let Some(path) = wanted.pop() {
        if !loaded.insert(path.clone()) {
            continue;
        }
        let file = server.get(&path).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        // What a script imports is loaded too.
        wanted.extend(named(&String::from_utf8_lossy(&file.bytes)));
        let again = request("GET", &path).header("if-none-match", file.header("etag"));
        let again = send(server.addr, again.body(empty()).unwrap()).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    }
    assert_eq!(loaded.len(), 8, "{loaded:?}");
    server.stop().await;
}

#[tokio::test]
async fn health_tells_the_store_the_log_and_each_partition() {
    let server = Server::whole().await;
    while server.get("/readyz").await.status != StatusCode::OK {}
    let health = server.get("/health").await.ok();
    assert_eq!(health["store"]["reachable"], true);
    assert_eq!(health["log"]["reachable"], true);
    let partitions = health["projections"]["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), server.engine.ends().len());
    assert_eq!(server.get("/livez").await.status, StatusCode::OK);
    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    server.engine.progress.halt("the disk is damaged".to_owned());
    let health = server.get("/health").await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(health.json()["status"], "unhealthy");
    assert!(health.json()["faults"][0].as_str().unwrap().contains("the disk is damaged"));
    server.stop().await;
}

#[tokio::test]
async fn without_keys_other_addresses_than_this_machine_s_are_refused_with_the_reason() {
    use tributary::web::{Access, bind};
    for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = bind(addr.parse().unwrap(), Access::InsecureDev).await.unwrap_err();
        assert!(error.to_string().contains("without API keys"), "{error}");
    }
    bind("0.0.0.0:0".parse().unwrap(), Access::Keys).await.expect("with keys it may listen anywhere");
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let options = tributary::run::Options::new(dir.path());
    let engine = tributary::run::Program::open(options, tributary::clock::Clock::system()).await.unwrap();
    let served = tributary::web::serve(listener, super::server::app(&engine), limits(), async {}).await;
    assert!(matches!(served, Err(tributary::web::Error::NotLoopback { .. })));
}
