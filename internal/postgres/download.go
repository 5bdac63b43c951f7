package postgres

import (
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const mavenCentral = "https://repo1.maven.org/maven2"

// preferred is the major version for new data.
const preferred = 17

// releases are those of the project zonkyio/embedded-postgres-binaries, which
// publishes Postgres for most systems as Maven artefacts.
var releases = map[int]string{
	13: "13.21.0", 14: "14.18.0", 15: "15.13.0", 16: "16.9.0", 17: "17.5.0", 18: "18.3.0",
}

// download gives Postgres from the cache, or fetches it there first.
func download(ctx context.Context, c Config, run *runner, major int) (Binaries, error) {
	release, ok := releases[major]
	if !ok {
		return Binaries{}, fmt.Errorf("no download of PostgreSQL %d is known", major)
	}
	cache, err := cacheDir(c.CacheDir)
	if err != nil {
		return Binaries{}, err
	}
	home := filepath.Join(cache, "postgres-"+release+"-"+platform())
	if _, err := os.Stat(home); errors.Is(err, fs.ErrNotExist) {
		mirror := cmp.Or(c.Mirror, os.Getenv("SHOP_POSTGRES_MIRROR"), mavenCentral)
		if err := fetch(ctx, jarURL(mirror, release), home, c.Say); err != nil {
			return Binaries{}, fmt.Errorf("download PostgreSQL %s: %w", release, err)
		}
	}
	bin, err := probe(ctx, filepath.Join(home, "bin"), run)
	if err != nil {
		_ = os.RemoveAll(home) // or the next run would not try again
		return bin, fmt.Errorf("the downloaded PostgreSQL does not run here: %w", err)
	}
	return bin, nil
}

// cacheDir is for everyone to read, as root has others run what is in it.
func cacheDir(path string) (string, error) {
	if path == "" && isRoot() {
		path = "/var/cache/coatcheck"
	}
	if path == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no place to keep a download: %w", err)
		}
		path = filepath.Join(base, "coatcheck")
	}
	if err := openParents(path); err != nil {
		return "", fmt.Errorf("no place to keep a download: %w", err)
	}
	return path, nil
}

// platform names this system the way the artefacts do.
func platform() string {
	arch := map[string]string{"arm64": "arm64v8", "arm": "arm32v7", "386": "i386"}[runtime.GOARCH]
	name := runtime.GOOS + "-" + cmp.Or(arch, runtime.GOARCH)
	if _, err := os.Stat("/etc/alpine-release"); err == nil {
		name += "-alpine" // musl instead of glibc
	}
	return name
}

func jarURL(mirror, release string) string {
	artefact := "embedded-postgres-binaries-" + platform()
	return fmt.Sprintf("%s/io/zonky/test/postgres/%s/%s/%[2]s-%[3]s.jar", strings.TrimSuffix(mirror, "/"), artefact, release)
}

// fetch downloads a jar, compares its checksum, and unpacks it to home, which
// appears complete or not at all.
func fetch(ctx context.Context, url, home string, say func(string)) error {
	want, sum, err := checksum(ctx, url)
	if err != nil {
		return err
	}
	jar, err := os.CreateTemp(filepath.Dir(home), "download-")
	if err != nil {
		return err
	}
	defer os.Remove(jar.Name())
	defer jar.Close()
	if err := get(ctx, url, io.MultiWriter(jar, sum), say); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("%s is damaged: its checksum is %s and should be %s", url, got, want)
	}
	work, err := os.MkdirTemp(filepath.Dir(home), "unpack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := unpackJar(jar, work); err != nil {
		return fmt.Errorf("unpack %s: %w", url, err)
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	err = os.Rename(work, home)
	if _, there := os.Stat(home); there == nil {
		return nil // another process was quicker, which is as good
	}
	return err
}

// checksum asks for the SHA-256 of the file at url, or for the SHA-1 where a
// mirror has only that, and gives a hash to compare it with. It comes from
// the same place as the file, so it detects damage; against forgery stands TLS.
func checksum(ctx context.Context, url string) (want string, sum hash.Hash, err error) {
	var text strings.Builder
	sum = sha256.New()
	err = get(ctx, url+".sha256", &text, nil)
	if errors.Is(err, fs.ErrNotExist) {
		sum = sha1.New()
		err = get(ctx, url+".sha1", &text, nil)
	}
	if err != nil {
		return "", nil, err
	}
	fields := strings.Fields(text.String()) // some tools add the file's name
	if len(fields) == 0 {
		return "", nil, fmt.Errorf("%s has an empty checksum", url)
	}
	return strings.ToLower(fields[0]), sum, nil
}

var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	TLSHandshakeTimeout:   10 * time.Second,
	ResponseHeaderTimeout: 30 * time.Second,
}}

// get copies the body at url to w. An error for a 404 is fs.ErrNotExist.
func get(ctx context.Context, url string, w io.Writer, say func(string)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %w (404)", url, fs.ErrNotExist)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: the server answers %s", url, resp.Status)
	}
	if say != nil {
		w = &progress{Writer: w, total: resp.ContentLength, say: say}
		say(fmt.Sprintf("downloading Postgres, once: %s", url))
	}
	if n, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("%s broke off after %d of %d bytes: %w", url, n, resp.ContentLength, err)
	}
	return nil
}

// progress says so at every quarter that has passed through.
type progress struct {
	io.Writer
	total, done, said int64
	say               func(string)
}

func (p *progress) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	p.done += int64(n)
	if quarter := p.done * 4 / max(p.total, p.done); p.total > 0 && quarter > p.said {
		p.said = quarter
		p.say(fmt.Sprintf("downloaded %d%% of %.1f MB", quarter*25, float64(p.total)/1e6))
	}
	return n, err
}
