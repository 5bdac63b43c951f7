package servers

import (
	"cmp"
	"crypto/rand"
	"os"
	"os/exec"
	"slices"
)

// images are where a program comes from that is not on the machine: a variable
// that names the image, and the official one.
var images = map[string]struct{ variable, official string }{
	"redis-server": {"SHOP_TEST_REDIS_IMAGE", "redis:7-alpine"},
	"memcached":    {"SHOP_TEST_MEMCACHED_IMAGE", "memcached:1.6-alpine"},
	"haproxy":      {"SHOP_TEST_HAPROXY_IMAGE", "haproxy:3.0-alpine"},
}

// find finds a program on the machine; haproxy is in /usr/sbin, which is not in
// everybody's PATH.
func find(name string) (path string, found bool) {
	for _, at := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(at); err == nil {
			return path, true
		}
	}
	return name, false
}

// command runs the program, in a container if it is not on the machine, or if
// SHOP_TEST_SERVERS=container says so. There it has the network and the
// directory for temporary files of the machine.
func (s *Server) command() *exec.Cmd {
	image, known := images[s.args[0]]
	path, found := find(s.args[0])
	if !known || found && os.Getenv("SHOP_TEST_SERVERS") != "container" {
		return exec.Command(path, s.args[1:]...)
	}
	s.container = "coatcheck-" + rand.Text()
	docker := []string{"run", "--rm", "--name", s.container, "--network", "host", "--user", "0", "--volume", os.TempDir() + ":" + os.TempDir()}
	for _, variable := range s.env {
		docker = append(docker, "--env", variable)
	}
	docker = append(docker, "--entrypoint", s.args[0], cmp.Or(os.Getenv(image.variable), image.official))
	return exec.Command("docker", slices.Concat(docker, s.args[1:])...)
}
