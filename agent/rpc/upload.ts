import { ActFailure } from '../core/results.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { WireError } from '../wire/fields.ts';

/** All bundles of one push together: what fits one message to a peer. */
const LONGEST_PEM = 3 << 20;

interface Incoming {
  on(event: 'data', listener: (message: proxyctl.v1.PushCertificatesMessage) => void): unknown;
  on(event: 'end' | 'cancelled', listener: () => void): unknown;
}

/**
 * The request and the whole bundles of an upload, once the caller has said that it
 * is complete. Rejects with WireError or ActFailure for anything else, so that
 * half a certificate is never acted on.
 */
export function readUpload(call: Incoming): Promise<{
  readonly request: proxyctl.v1.PushCertificatesRequest;
  /** In their order; the first is the request's. */
  readonly bundles: readonly { readonly path: string; readonly pem: string }[];
}> {
  return new Promise((resolve, reject) => {
    let request: proxyctl.v1.PushCertificatesRequest | null = null;
    const bundles: { readonly path: string; readonly chunks: Uint8Array[] }[] = [];
    let size = 0;
    call.on('data', (message) => {
      if (message.request && request === null) {
        request = message.request;
        bundles.push({ path: request.path, chunks: [] });
      } else if (message.next && request !== null)
        bundles.push({ path: message.next.path, chunks: [] });
      else if (message.chunk && request !== null) {
        size += message.chunk.length;
        if (size > LONGEST_PEM) reject(new WireError('chunk', `more than ${LONGEST_PEM} bytes`));
        else bundles.at(-1)?.chunks.push(message.chunk);
      } else reject(new WireError('body', 'the request comes first and once, then chunks'));
    });
    call.on('end', () => {
      if (request === null) reject(new WireError('request', 'missing'));
      else
        resolve({
          request,
          bundles: bundles.map(({ path, chunks }) => ({
            path,
            pem: Buffer.concat(chunks).toString('utf8'),
          })),
        });
    });
    call.on('cancelled', () => {
      const message = 'certificates: the caller left before the upload was complete';
      reject(new ActFailure('failed', { code: 'upload_cut', message, retryable: true }));
    });
  });
}
