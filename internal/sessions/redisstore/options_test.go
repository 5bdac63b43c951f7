package redisstore_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/sessions/redisstore"
)

func TestAddressSaysOneServerAClusterOrSentinels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address  string
		servers  []string
		master   string
		password string
		tls      bool
	}{
		{"redis://localhost", []string{"localhost:6379"}, "", "", false},
		{"localhost:7000", []string{"localhost:7000"}, "", "", false},
		{"rediss://shop:secret@redis.example:6380/2", []string{"redis.example:6380"}, "", "secret", true},
		{"redis://a:1,b:2, c:3", []string{"a:1", "b:2", "c:3"}, "", "", false},
		{"redis://:secret@a:1,redis://b:2", []string{"a:1", "b:2"}, "", "secret", false},
		{"a:1,b:2", []string{"a:1", "b:2"}, "", "", false},
		{"redis+sentinel://a:1/coats", []string{"a:1"}, "coats", "", false},
		{"redis+sentinel://:secret@a:1,b:2/coats", []string{"a:1", "b:2"}, "coats", "secret", false},
	} {
		o, err := redisstore.Options(c.address, time.Second)
		if err != nil {
			t.Errorf("%s: %v", c.address, err)
			continue
		}
		if !slices.Equal(o.Addrs, c.servers) || o.MasterName != c.master || o.Password != c.password || (o.TLSConfig != nil) != c.tls {
			t.Errorf("%s: %v, master %q, password %q, TLS %v", c.address, o.Addrs, o.MasterName, o.Password, o.TLSConfig != nil)
		}
	}
}

func TestBadAddressIsAnErrorWithoutThePassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "http://:secret@a:1", "redis://:secret@a b:1", "redis://:secret/@a:1", "redis://u:sec ret@a:1", "redis://:secret@a:1/x",
		"redis://a:1,", "redis://a:1,:secret@b", "redis+sentinel://:secret@a:1", "redis+sentinel://:secret@a:1,b:2/",
	} {
		if _, err := redisstore.Options(address, time.Second); err == nil || strings.Contains(err.Error(), "sec") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
