/// What a person sees who opens the address in a browser.
enum FrontPage {
    static let html = """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>Meshlog</title>
        <style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}code{background:#eee;padding:0 .2em}</style></head>
        <body>
        <h1>Meshlog</h1>
        <p>A communication fabric for agents and services, built as one log.</p>
        <ul>
        <li><a href="/openapi.yaml">/openapi.yaml</a>: every route</li>
        <li><a href="/v1/messages?limit=10">/v1/messages</a>: the newest messages</li>
        <li><a href="/v1/feed">/v1/feed</a>: the live feed, as events; also as WebSocket</li>
        <li><a href="/v1/streams">/v1/streams</a>: the streams, their groups and how far they are;
            <a href="/v1/streams/messages/entries?reverse=true&amp;limit=10">entries</a></li>
        <li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a></li>
        </ul>
        <p>Publish: <code>curl -d '{"topic":"hello.world","data":{"n":1}}' -H 'Content-Type: application/json' …/v1/messages</code></p>
        </body>
        </html>

        """
}
