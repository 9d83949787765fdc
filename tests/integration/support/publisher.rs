//! Where an identity provider publishes its keys: a web server on loopback that can go away and come back.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// What is published, and how often it was asked for.
#[derive(Default)]
struct Page {
    /// `None` while it is down: connections are closed without a word.
    text: Option<String>,
    asked: usize,
}

pub struct Publisher {
    pub url: String,
    page: Arc<Mutex<Page>>,
    _task: AbortOnDropHandle<()>,
}

impl Publisher {
    /// One that is down.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let page = Arc::new(Mutex::new(Page::default()));
        let shown = page.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, shown.clone()));
            }
        });
        Self { url, page, _task: AbortOnDropHandle::new(task) }
    }

    pub fn publish(&self, keys: &[Json]) {
        self.page.lock().unwrap().text = Some(json!({ "keys": keys }).to_string());
    }

    pub fn go_down(&self) {
        self.page.lock().unwrap().text = None;
    }

    pub fn asked(&self) -> usize {
        self.page.lock().unwrap().asked
    }
}

async fn answer(mut stream: TcpStream, page: Arc<Mutex<Page>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let text = {
        let mut page = page.lock().unwrap();
        page.asked += 1;
        page.text.clone()
    };
    if let Some(text) = text {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        stream.write_all(answer.as_bytes()).await?;
    }
    stream.shutdown().await
}
