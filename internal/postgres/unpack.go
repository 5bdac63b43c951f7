package postgres

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"github.com/xi2/xz"
)

// unpackJar unpacks the one .txz in a jar to dir. An os.Root keeps a malicious
// archive from writing outside of it.
func unpackJar(jar *os.File, dir string) error {
	info, err := jar.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(jar, info.Size())
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, ".txz") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		defer r.Close()
		return unpackTxz(r, root)
	}
	return errors.New("there is no .txz in it")
}

func unpackTxz(r io.Reader, root *os.Root) error {
	plain, err := xz.NewReader(r, xz.DefaultDictMax)
	if err != nil {
		return err
	}
	for files := tar.NewReader(plain); ; {
		h, err := files.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean(h.Name)
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeSymlink:
			err = root.Symlink(h.Linkname, name)
		case tar.TypeLink:
			err = root.Link(path.Clean(h.Linkname), name)
		case tar.TypeReg:
			err = unpackFile(root, name, h.FileInfo().Mode().Perm()|0o444, files)
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, mode os.FileMode, content io.Reader) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return root.Chmod(name, mode&0o755) // whatever the umask is
}
