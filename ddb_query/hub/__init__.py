"""The Hub over HTTP: the only package of ddb that imports an HTTP client.

`client` owns the connection: addresses, redirects, who is told the token. `retries` says when it
tries again.
`download` owns one file on its way to the disk.
"""
