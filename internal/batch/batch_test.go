package batch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/internal/batch"
)

// A shelf is what is looked things up in. A look-up takes a second.
type shelf struct {
	mu   sync.Mutex
	kept map[int]string
	asks [][]int
}

func (s *shelf) put(key int, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[key] = value
}

func (s *shelf) remove(key int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, key)
}

func (s *shelf) find(ctx context.Context, keys []int) (map[int]string, error) {
	s.mu.Lock()
	s.asks = append(s.asks, keys)
	found := map[int]string{}
	for _, k := range keys {
		if v, ok := s.kept[k]; ok {
			found[k] = v
		}
	}
	s.mu.Unlock()
	select {
	case <-time.After(time.Second):
		return found, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// load looks a key up, and says so if what comes is not as it must be.
func load(t *testing.T, l *batch.Loader[int, string], key int, want string) {
	t.Helper()
	v, ok, err := l.Load(t.Context(), key)
	if v != want || ok != (want != "") || err != nil {
		t.Errorf("Load(%d) = %q, %v, %v; want %q", key, v, ok, err, want)
	}
}

func TestLookUpsThatComeMeanwhileGoTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{kept: map[int]string{}}
		l := batch.New(time.Minute, s.find)
		begun := time.Now()
		for i := range 100 {
			s.put(i, fmt.Sprint("coat ", i))
			go load(t, l, i, fmt.Sprint("coat ", i))
			synctest.Wait() // each comes after the one before
		}
		load(t, l, -1, "") // and nothing is under this one
		time.Sleep(10 * time.Second)
		if len(s.asks) != 3 || len(s.asks[0]) != 1 || len(s.asks[1]) != 1 || len(s.asks[2]) != 99 {
			t.Errorf("101 look-ups went as %v; want the first and the second alone, while nobody else was there, and the others together", s.asks)
		}
		if took := time.Since(begun); took != 12*time.Second {
			t.Errorf("it took %v, want two seconds", took-10*time.Second)
		}
	})
}

// What was taken away before somebody came is not found by them, although a
// look-up that began earlier, and has found it, is still under way.
func TestNobodyJoinsALookUpThatHasBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{kept: map[int]string{1: "coat"}}
		l := batch.New(time.Minute, s.find)
		go load(t, l, 1, "coat")
		synctest.Wait()
		go load(t, l, 1, "coat")
		synctest.Wait()
		go load(t, l, 1, "") // waits until one of them is back
		synctest.Wait()
		s.remove(1)
		load(t, l, 1, "")
		synctest.Wait()
	})
}

func TestErrorIsEverybodys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		l := batch.New(time.Minute, func(context.Context, []int) (map[int]string, error) {
			time.Sleep(time.Second)
			return map[int]string{1: "half an answer"}, broken
		})
		for range 10 {
			go func() {
				if _, _, err := l.Load(t.Context(), 1); !errors.Is(err, broken) {
					t.Errorf("Load: %v, want the error of the look-up", err)
				}
			}()
		}
		time.Sleep(time.Minute)
	})
}

// Who leaves takes nobody along.
func TestLookUpOutlivesWhoLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{kept: map[int]string{1: "coat"}}
		l := batch.New(time.Minute, s.find)
		ctx, leave := context.WithCancel(t.Context())
		go func() {
			if _, ok, err := l.Load(ctx, 1); ok || !errors.Is(err, context.Canceled) {
				t.Errorf("Load of who has left = %v, %v", ok, err)
			}
		}()
		synctest.Wait()
		go load(t, l, 1, "coat")
		go load(t, l, 1, "coat")
		synctest.Wait()
		leave()
		time.Sleep(time.Minute)
		load(t, l, 1, "coat")
	})
}

func TestLookUpThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := true
		l := batch.New(3*time.Second, func(ctx context.Context, _ []int) (map[int]string, error) {
			if hang {
				<-ctx.Done()
			}
			return map[int]string{1: "coat"}, ctx.Err()
		})
		begun := time.Now()
		if _, _, err := l.Load(t.Context(), 1); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
			t.Errorf("Load: %v after %v, want that it took too long, after three seconds", err, time.Since(begun))
		}
		hang = false
		load(t, l, 1, "coat")
	})
}

func TestPanicIsAnErrorOfThoseWhomTheLookUpIsFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := batch.New(time.Minute, func(_ context.Context, keys []int) (map[int]string, error) {
			if keys[0] == 2 {
				panic("there is no hook 2")
			}
			return map[int]string{1: "coat"}, nil
		})
		if _, _, err := l.Load(t.Context(), 2); err == nil || !strings.Contains(err.Error(), "there is no hook 2") {
			t.Errorf("Load: %v, want what the panic said", err)
		}
		load(t, l, 1, "coat")
	})
}
