//go:build unix

package postgres

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// withoutPostgres makes this machine look as if nobody had installed it.
func withoutPostgres(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv("SHOP_POSTGRES_BIN", "")
	installed := places
	places = nil
	t.Cleanup(func() { places = installed })
}

func testRunner(t *testing.T) *runner {
	t.Helper()
	run, err := newRunner(dataDir{"/nonexistent"})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// thisPostgres packs the Postgres of this machine the way mirrors have it.
func thisPostgres(t *testing.T) []byte {
	t.Helper()
	bin, err := findBinaries(t.Context(), Config{Say: func(line string) { t.Log(line) }}, testRunner(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Dir(bin.Dir)
	// The programs that the shop runs, and what they load.
	args := []string{"--exclude=bitcode", "-cJf", "-", "-C", home, "bin/initdb", "bin/pg_ctl", "bin/postgres"}
	for _, part := range []string{"lib", "share"} {
		if _, err := os.Stat(filepath.Join(home, part)); err == nil {
			args = append(args, part)
		}
	}
	cmd := exec.Command("tar", args...)
	cmd.Env = append(os.Environ(), "XZ_OPT=-0")
	txz, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return jar(t, txz)
}

func jar(t *testing.T, txz []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range map[string][]byte{"META-INF/MANIFEST.MF": nil, "postgres-some-system.txz": txz} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// mirror serves one jar under every version, with what the map says in place
// of its real checksums or of the jar itself.
func mirror(t *testing.T, jar []byte, instead map[string]http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		extension := filepath.Ext(r.URL.Path)
		switch handler := instead[extension]; {
		case handler != nil:
			handler(w, r)
		case extension == ".jar":
			w.Header().Set("Content-Length", strconv.Itoa(len(jar)))
			_, _ = w.Write(jar)
		case extension == ".sha256":
			fmt.Fprintf(w, "%x", sha256.Sum256(jar))
		case extension == ".sha1":
			fmt.Fprintf(w, "%X  postgres.jar\n", sha1.Sum(jar))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestPostgresIsDownloadedOnceAndKept(t *testing.T) {
	maven := mirror(t, thisPostgres(t), nil)
	withoutPostgres(t)
	// Whatever version this machine's is, it passes for the preferred one.
	published := releases
	releases = map[int]string{}
	for major := range 100 {
		releases[major] = published[preferred]
	}
	t.Cleanup(func() { releases = published })
	t.Setenv("SHOP_POSTGRES_MIRROR", maven.URL+"/")
	cache, dir := filepath.Join(openDir(t), "cache"), openDir(t)
	var said []string
	c := Config{DataDir: dir, CacheDir: cache, Say: func(line string) { said = append(said, line) }}
	s, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	execSQL(t, s.URL(), oneCoat)
	mustStop(t, s)
	if !strings.HasPrefix(s.Binaries().Dir, cache) {
		t.Errorf("it ran %s", s.Binaries().Dir)
	}
	if !strings.Contains(strings.Join(said, "\n"), "downloaded 100%") {
		t.Errorf("a waiting person reads %q", said)
	}
	maven.Close()
	if s, err = Start(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantCoat(t, s.URL())
	mustStop(t, s)
}

func TestABadDownloadIsRefusedAndForgotten(t *testing.T) {
	t.Parallel()
	evil := func(name, link string) []byte {
		var files bytes.Buffer
		w := tar.NewWriter(&files)
		if link != "" {
			_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "door", Linkname: link})
		}
		_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644})
		_ = w.Close()
		cmd := exec.Command("xz", "-0")
		cmd.Stdin = &files
		txz, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return jar(t, txz)
	}
	harmless := evil("file", "")
	tests := []struct {
		name    string
		jar     []byte
		instead map[string]http.HandlerFunc
		want    string
	}{
		{"nothing there", nil, map[string]http.HandlerFunc{".sha256": http.NotFound, ".sha1": http.NotFound}, "404"},
		{"jar missing", nil, map[string]http.HandlerFunc{".jar": http.NotFound}, "404"},
		{"server ill", harmless, map[string]http.HandlerFunc{".jar": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
		}}, "502 Bad Gateway"},
		{"cut off", harmless, map[string]http.HandlerFunc{".jar": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(harmless[:100])
		}}, "broke off after 100 of 1000000 bytes"},
		{"damaged", harmless, map[string]http.HandlerFunc{".jar": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.ToUpper(harmless))
		}}, "is damaged"},
		{"empty checksum", harmless, map[string]http.HandlerFunc{".sha256": func(http.ResponseWriter, *http.Request) {}}, "empty checksum"},
		{"not a jar", []byte("<html>please sign in</html>"), nil, "unpack"},
		{"escaping upwards", evil("../../escaped", ""), nil, "unpack"},
		{"escaping by a link", evil("door/escaped", "../.."), nil, "unpack"},
		{"not Postgres", harmless, nil, "does not run here"},
		{"with SHA-1 alone", harmless, map[string]http.HandlerFunc{".sha256": http.NotFound}, "does not run here"},
		{"damaged, with SHA-1 alone", harmless, map[string]http.HandlerFunc{".sha256": http.NotFound,
			".sha1": func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "da39a3ee5e6b4b0d3255bfef95601890afd80709")
			}}, "is damaged"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cache := filepath.Join(openDir(t), "cache")
			maven := mirror(t, test.jar, test.instead)
			_, err := download(t.Context(), Config{Mirror: maven.URL, CacheDir: cache}, testRunner(t), preferred)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
			if left, _ := filepath.Glob(filepath.Join(cache, "*")); len(left) > 0 {
				t.Errorf("left in the cache: %v", left)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(cache), "escaped")); !errors.Is(err, fs.ErrNotExist) {
				t.Error("a file was written outside of the cache")
			}
		})
	}
}

func TestDataOfAnotherVersionIsKept(t *testing.T) {
	empty := mirror(t, nil, map[string]http.HandlerFunc{".sha256": http.NotFound, ".sha1": http.NotFound})
	t.Setenv("SHOP_POSTGRES_MIRROR", empty.URL)
	for _, version := range []string{"9.6", "14", "99"} {
		dir := openDir(t)
		file := filepath.Join(dir, "data", "PG_VERSION")
		if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(version+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		major, _, _ := strings.Cut(version, ".")
		_, err := Start(t.Context(), Config{DataDir: dir, CacheDir: openDir(t)})
		if err == nil || !strings.Contains(err.Error(), "the data is of PostgreSQL "+major+", and ") {
			t.Errorf("PostgreSQL %s: got %v", version, err)
		}
		if text, _ := os.ReadFile(file); string(text) != version+"\n" {
			t.Errorf("PostgreSQL %s: the data was touched", version)
		}
	}
}

func TestABadBinDirIsNamed(t *testing.T) {
	for _, name := range []string{"field", "setting"} {
		c := Config{DataDir: openDir(t), BinDir: "/nonexistent/bin"}
		if name == "setting" {
			t.Setenv("SHOP_POSTGRES_BIN", c.BinDir)
			c.BinDir = ""
		}
		_, err := Start(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), "SHOP_POSTGRES_BIN: ") || !strings.Contains(err.Error(), "/nonexistent/bin") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAMachineWithNothingSaysWhatToInstall(t *testing.T) {
	withoutPostgres(t)
	empty := mirror(t, nil, map[string]http.HandlerFunc{".sha256": http.NotFound, ".sha1": http.NotFound})
	_, err := Start(t.Context(), Config{DataDir: openDir(t), CacheDir: openDir(t), Mirror: empty.URL})
	if err == nil || !strings.Contains(err.Error(), "apt install postgresql") || !strings.Contains(err.Error(), empty.URL) {
		t.Errorf("got %v", err)
	}
}
