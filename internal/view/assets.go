package view

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// Assets serves the files of a directory under addresses that carry a hash of
// their content, such as /static/shop.1a2b3c4d5e6f.css. A changed file gets a
// new address, so browsers may keep the old one for ever and never ask again.
// Everything is compressed once, at start.
type Assets struct {
	address map[string]string // file name → address
	files   map[string]asset  // address → what it answers
}

type asset struct {
	contentType string
	body        []byte
	gzipped     []byte // nil where gzip does not make it smaller
}

// NewAssets reads every file of files, Go source aside.
func NewAssets(files fs.FS) (*Assets, error) {
	a := &Assets{address: map[string]string{}, files: map[string]asset{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) == ".go" {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return a.add(name, body)
	})
	return a, err
}

func (a *Assets) add(name string, body []byte) error {
	ext := path.Ext(name)
	contentType := mime.TypeByExtension(ext)
	if contentType == "" {
		return fmt.Errorf("asset %s: no content type known for %q", name, ext)
	}
	hash := sha256.Sum256(body)
	address := "/static/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(hash[:6]) + ext

	var zipped bytes.Buffer
	zw, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zw.Write(body); err != nil {
		return err
	}
	if err := zw.Close(); err != nil {
		return err
	}
	file := asset{contentType: contentType, body: body}
	if zipped.Len() < len(body) {
		file.gzipped = zipped.Bytes()
	}
	a.address[name] = address
	a.files[address] = file
	return nil
}

// Address gives the address of a file, named by its path below static/. A
// template that names a file which is not there fails to render, in a test
// rather than before a visitor.
func (a *Assets) Address(name string) (string, error) {
	address, ok := a.address[name]
	if !ok {
		return "", fmt.Errorf("no asset named %q", name)
	}
	return address, nil
}

// Picture gives the address of a product's drawing or, for one that has none, of
// a bare hanger: what hangs on the rail is data, and need not be drawn yet.
func (a *Assets) Picture(name string) (string, error) {
	if address, ok := a.address[name]; ok {
		return address, nil
	}
	return a.Address("products/none.svg")
}

// Serve answers with the asset at the request's path, or reports that there
// is none. It costs no look-up of any kind.
func (a *Assets) Serve(w http.ResponseWriter, r *http.Request) bool {
	file, ok := a.files[r.URL.Path]
	if !ok {
		return false
	}
	body := file.body
	h := w.Header()
	if file.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body = file.gzipped
		}
	}
	h.Set("Content-Type", file.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.Method != http.MethodHead {
		w.Write(body) // an error means that the browser has gone
	}
	return true
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return strings.ReplaceAll(quality, " ", "") != "q=0"
		}
	}
	return false
}
