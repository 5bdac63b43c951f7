package xray

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Tracer hears what is sent to Postgres, and notes it in the recording of the
// request that sends it, if there is one. Give it to the pool.
type Tracer struct{}

var (
	_ pgx.QueryTracer = Tracer{}
	_ pgx.BatchTracer = Tracer{}
)

// TraceQueryStart notes a statement's text, and when it was sent.
func (Tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	From(ctx).sent(q.SQL)
	return ctx
}

// TraceQueryEnd notes how it went.
func (Tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	r := From(ctx)
	r.answered(q.CommandTag)
	r.done(q.Err)
}

// TraceBatchStart notes that a round trip begins, which may carry several
// statements.
func (Tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	r := From(ctx)
	if r == nil {
		return ctx
	}
	texts := make([]string, len(b.Batch.QueuedQueries))
	for i, q := range b.Batch.QueuedQueries {
		texts[i] = q.SQL
	}
	r.sent(texts...)
	return ctx
}

// TraceBatchQuery notes how one of them went.
func (Tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	From(ctx).answered(q.CommandTag)
}

// TraceBatchEnd notes how long the round trip took.
func (Tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchEndData) {
	From(ctx).done(b.Err)
}

// sent begins a round trip.
func (r *Recording) sent(texts ...string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v := Visit{Call: r.call, Statements: make([]Statement, len(texts))}
	for i, text := range texts {
		v.Statements[i].Text = text
	}
	r.seen.Room = append(r.seen.Room, v)
	r.began, r.next = time.Now(), 0
}

// answered notes what came of the next statement of the round trip.
func (r *Recording) answered(tag pgconn.CommandTag) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.seen.Room[len(r.seen.Room)-1]; r.next < len(v.Statements) {
		v.Statements[r.next].Rows = tag.RowsAffected()
		r.next++
	}
}

// done ends the round trip.
func (r *Recording) done(err error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v := &r.seen.Room[len(r.seen.Room)-1]
	v.Took = time.Since(r.began)
	if err != nil {
		v.Outcome = "failed"
	}
}
