/* Whether a certificate is accepted, and in words why not. Called by OpenSSL within a handshake. */
#pragma once

#include <glib.h>
#include <openssl/ssl.h>

enum { NET_PIN_BYTES = 32 };

/* What hangs on an SSL as its app data while it lives. */
typedef struct {
	const char *peer; /* name and port: sessions are resumed only with the same */
	char *refusal; /* why the certificate was refused, or NULL; owned */
} NetHandshake;

/* SSL_VERIFY_PEER's callback: keeps the verdict and notes the reason of the first refusal. */
int net_verify_chain(int ok, X509_STORE_CTX *store);

/* SSL_CTX_set_cert_verify_callback()'s callback: the leaf's SHA-256 instead of the chain; pin is
 * NET_PIN_BYTES bytes. */
int net_verify_pin(X509_STORE_CTX *store, void *pin);
