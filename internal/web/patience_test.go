package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/web"
)

// hurried runs a handler with the patience that pages have.
func hurried(body io.Reader, do func(w http.ResponseWriter, r *http.Request)) {
	r := httptest.NewRequest("POST", "/", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	web.Hurry(web.DefaultPatience)(http.HandlerFunc(do)).ServeHTTP(httptest.NewRecorder(), r)
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hurried(nil, func(_ http.ResponseWriter, r *http.Request) {
			from := time.Now()
			<-r.Context().Done()
			if took := time.Since(from); took != web.DefaultPatience || took > 2*time.Second || !errors.Is(context.Cause(r.Context()), web.ErrLate) {
				t.Errorf("after %v: %v", took, context.Cause(r.Context()))
			}
		})
	})
}

// A slow line is the visitor's, and no sign that the shop is.
func TestPatienceDoesNotCountTheArrivalOfAForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow, typing := io.Pipe()
		go func() {
			for letter := range strings.SplitSeq("product=camel-overcoat", "") {
				time.Sleep(time.Second)
				_, _ = io.WriteString(typing, letter)
			}
			typing.Close()
		}()
		hurried(slow, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(web.DefaultPatience / 2)
			if _, err := web.ReadForm(w, r); err != nil {
				t.Error(err)
			}
			if time.Sleep(web.DefaultPatience/2 - 1); r.Context().Err() != nil {
				t.Errorf("with half of the patience left: %v", context.Cause(r.Context()))
			}
			if time.Sleep(2 * time.Nanosecond); r.Context().Err() == nil {
				t.Error("after the arrival of a form the patience has no end")
			}
		})
	})
}

func TestPatienceDoesNotCountTheHashingOfPasswords(t *testing.T) {
	t.Parallel()
	s := open(t)
	users, err := auth.New(auth.Config{DB: s.db, Cost: 10}) // which takes 50 ms or more
	if err != nil {
		t.Fatal(err)
	}
	if _, err := users.Add(t.Context(), "Carol", "carol@example.com", "a long enough one"); err != nil {
		t.Fatal(err)
	}
	hashed := 0
	begin := func() (end func()) {
		from := time.Now()
		return func() {
			if time.Since(from) > 20*time.Millisecond {
				hashed++
			}
		}
	}
	ctx := auth.WhileHashing(t.Context(), begin)
	user, err := users.SignIn(ctx, "carol@example.com", "a long enough one", "")
	if err != nil || hashed != 1 {
		t.Errorf("a sign-in tells of %d hashes that take long, %v", hashed, err)
	}
	if err := users.SetPassword(ctx, user, "another long one", nil); err != nil || hashed != 2 {
		t.Errorf("and then a new password of %d in all, %v", hashed, err)
	}
}
