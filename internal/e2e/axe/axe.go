// Package axe gets axe-core, which finds what stands in the way of people with
// disabilities, for the tests in a browser. It is not part of the project: it
// comes from npm's registry when the tests need it, and is kept for the next
// time.
package axe

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// What the registry says of the version that is used,
// https://registry.npmjs.org/axe-core/4.14.1
const (
	version   = "4.14.1"
	address   = "https://registry.npmjs.org/axe-core/-/axe-core-" + version + ".tgz"
	integrity = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// Script gives axe-core's source.
func Script() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	kept := filepath.Join(cache, "coatcheck", "axe-core-"+version+".tgz")
	archive, err := os.ReadFile(kept)
	if err == nil && checks(archive) {
		return unpack(archive)
	}
	if archive, err = download(); err != nil {
		return "", fmt.Errorf("axe-core is neither in %s nor to be had from npm's registry: %w", kept, err)
	}
	if err := keep(kept, archive); err != nil {
		return "", err
	}
	return unpack(archive)
}

func checks(archive []byte) bool {
	hash := sha512.Sum512(archive)
	return base64.StdEncoding.EncodeToString(hash[:]) == integrity
}

func download() ([]byte, error) {
	client := &http.Client{Timeout: time.Minute}
	answer, err := client.Get(address)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, answer.Status)
	}
	archive, err := io.ReadAll(answer.Body)
	if err == nil && !checks(archive) {
		err = fmt.Errorf("what %s sends is not version %s", address, version)
	}
	return archive, err
}

// keep writes the file whole or not at all: another test may be reading it.
func keep(path string, archive []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "axe-")
	if err != nil {
		return err
	}
	_, err = f.Write(archive)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func unpack(archive []byte) (string, error) {
	const file = "package/axe.min.js"
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("look for %s in axe-core: %w", file, err)
		}
		if header.Name == file {
			text, err := io.ReadAll(files)
			return string(text), err
		}
	}
}
