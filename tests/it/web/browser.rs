//! A real browser, driven over a pipe by the DevTools protocol: JSON messages, each ended by a zero byte.
#![expect(clippy::disallowed_methods, reason = "the browser is outside: which one, and how long it is waited for")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The longest that anything in the page may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The browser's program. Without one the page is not tested: that is said aloud, and with CI=true it is a failure.
pub fn program() -> Option<String> {
    let named = std::env::var("PAGE_TEST_BROWSER").ok().filter(|name| !name.is_empty());
    let found = named.or_else(|| {
        let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        usual.into_iter().find(|path| std::path::Path::new(path).exists()).map(str::to_owned)
    });
    if found.is_none() {
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!is_ci, "no browser: install chromium or set PAGE_TEST_BROWSER to one");
        // Past the test's own capture, so that nobody takes silence for success.
        let said = "NOT TESTED: the page, for want of a browser; install chromium or set PAGE_TEST_BROWSER to one\n";
        drop(std::io::stderr().write_all(said.as_bytes()));
    }
    found
}

/// One page in a browser of its own, which ends with it.
pub struct Page {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: String,
    last: u64,
    /// Everything that was told meanwhile.
    pub told: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Page {
    /// An empty page of `width` × `height`.
    pub fn open(program: &str, width: u32, height: u32) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The browser reads commands from its descriptor 3 and answers on 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>&2", program])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-dev-shm-usage", "--lang=en-US", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to, mut answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let read = serde_json::from_slice(&message).ok().is_some_and(|json| sender.send(json).is_ok());
                if !read {
                    return;
                }
                message.clear();
            }
        });
        let mut page = Self { child, to, from, session: String::new(), last: 0, told: Vec::new(), _profile: profile };
        page.attach(width, height);
        page
    }

    fn attach(&mut self, width: u32, height: u32) {
        let target = self.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = self.call("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        attached["sessionId"].as_str().unwrap().clone_into(&mut self.session);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        self.call("Network.setUserAgentOverride", &json!({"userAgent": "test", "acceptLanguage": "en-US"}));
    }

    /// As a reader who likes it light or dark.
    pub fn prefer(&mut self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.call("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
    }

    pub fn go(&mut self, url: &str) {
        self.call("Page.navigate", &json!({"url": url}));
    }

    /// Sends a command and waits for its result.
    #[track_caller]
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let mut command = json!({"id": self.last, "method": method, "params": params});
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = match self.from.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => panic!("{method} was not answered"),
                Err(RecvTimeoutError::Disconnected) => panic!("the browser ended before it answered {method}"),
            };
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.told.push(answer);
        }
    }

    /// What an expression of the page comes to.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression comes to `expected`.
    #[track_caller]
    pub fn wait_for(&mut self, expression: &str, expected: &Value) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.eval(expression);
            if seen == *expected {
                return;
            }
            assert!(Instant::now() < deadline, "{expression} is {seen} and not {expected}; {:?}", self.complaints());
        }
    }

    /// What the console and the log tell of errors and warnings.
    pub fn complaints(&self) -> Vec<String> {
        let is_complaint = |told: &&Value| match told["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => {
                matches!(told["params"]["type"].as_str(), Some("error" | "warning" | "assert"))
            }
            Some("Log.entryAdded") => {
                matches!(told["params"]["entry"]["level"].as_str(), Some("error" | "warning"))
            }
            _ => false,
        };
        self.told.iter().filter(is_complaint).map(|told| told["params"].to_string()).collect()
    }

    /// Every address that was asked.
    pub fn requests(&self) -> Vec<String> {
        let sent = self.told.iter().filter(|told| told["method"] == "Network.requestWillBeSent");
        sent.map(|told| told["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
