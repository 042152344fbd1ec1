/** Constants of <openssl/bio.h>, <openssl/ssl.h>, <openssl/tls1.h> and <openssl/x509_vfy.h>, OpenSSL 3. */

export const BIO_CTRL_RESET = 1;
export const BIO_C_GET_BUF_MEM_PTR = 115;
export const BIO_C_SET_BUF_MEM_EOF_RETURN = 130;
export const BIO_FLAGS_NONCLEAR_RST = 0x400;

export const SSL_CTRL_MODE = 33;
export const SSL_CTRL_SET_SESS_CACHE_MODE = 44;
export const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
export const SSL_CTRL_SET_TLSEXT_TICKET_KEYS = 59;
export const SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB = 63;
export const SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP = 71;
export const SSL_CTRL_CHAIN_CERT = 89;
export const SSL_CTRL_SET_GROUPS_LIST = 92;
export const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
export const SSL_CTRL_SET_MAX_PROTO_VERSION = 124;

export const SSL_MODE_RELEASE_BUFFERS = 0x10;
export const SSL_SESS_CACHE_OFF = 0;

export const SSL_OP_NO_TICKET = 2 ** 14;
export const SSL_OP_NO_COMPRESSION = 2 ** 17;
export const SSL_OP_PRIORITIZE_CHACHA = 2 ** 21;
export const SSL_OP_CIPHER_SERVER_PREFERENCE = 2 ** 22;
export const SSL_OP_NO_RENEGOTIATION = 2 ** 30;

export const SSL_VERIFY_NONE = 0;
export const SSL_VERIFY_PEER = 1;
export const SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;

export const SSL_READING = 3;

export const SSL_SENT_SHUTDOWN = 1;
export const SSL_RECEIVED_SHUTDOWN = 2;

export const SSL_TLSEXT_ERR_OK = 0;
export const SSL_TLSEXT_ERR_ALERT_FATAL = 2;
export const SSL_TLSEXT_ERR_NOACK = 3;

export const TLS1_2_VERSION = 0x0303;
export const TLS1_3_VERSION = 0x0304;

export const X509_V_OK = 0;
export const X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS = 0x4;

/** ERR_GET_REASON: the low 23 bits; reasons from 1000 on are alerts that the peer sent. */
export const ERR_REASON_MASK = 0x7fffff;
export const SSL_AD_REASON_OFFSET = 1000;
export const SSL_R_RECORD_LAYER_FAILURE = 313;
