package sessions

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// An ID is what the cookie carries: 256 bits from the system's cryptographic
// source, so there is nothing to guess (ASVS 5.0 V7.2.3 asks for 128), written
// in the 43 letters of URL-safe base64. It means nothing by itself.
//
// It is the key to an account, so it goes into the cookie and nowhere else:
// not into a log, a page, an address or a store.
type id string

const (
	idBytes   = 32
	idLetters = 43
)

// Strict, so that an ID can be written in one way only.
var idCoding = base64.RawURLEncoding.Strict()

func newID() id {
	var b [idBytes]byte
	rand.Read(b[:]) // never fails: the program ends rather than go on without randomness
	return id(idCoding.EncodeToString(b[:]))
}

// parseID accepts what newID could have made. Anything else is refused here,
// before it costs a look-up.
func parseID(s string) (id, bool) {
	if len(s) != idLetters {
		return "", false
	}
	// The length again, because the decoder skips line breaks.
	if b, err := idCoding.DecodeString(s); err != nil || len(b) != idBytes {
		return "", false
	}
	return id(s), true
}

// Key is the SHA-256 of an ID, and what a store files the session under. The
// hash is one-way: who reads the store, or a backup of it, holds no ticket. A
// plain hash suffices, without salt or stretching, because an ID, unlike a
// password, has nothing that could be guessed.
type Key [sha256.Size]byte

func (i id) key() Key { return sha256.Sum256([]byte(i)) }

// newHandle makes a name for a session: 60 random bits in base32.
func newHandle() string { return rand.Text()[:12] }
