import { createHash, createPrivateKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { encodeDeployment, type Deployment } from '../../agent/core/deploy/deployment.ts';
import { CONTEXT_0, INTEGER, NULL, OCTET_STRING, SEQUENCE, SET } from '../../agent/core/der.ts';
import { der, elements, inside, oid } from '../../agent/core/der.ts';
import { usage } from '../failure.ts';

const DATA = oid('1.2.840.113549.1.7.1');
const SIGNED_DATA = oid('1.2.840.113549.1.7.2');
const CONTENT_TYPE = oid('1.2.840.113549.1.9.3');
const MESSAGE_DIGEST = oid('1.2.840.113549.1.9.4');
const SHA256 = der(SEQUENCE, oid('2.16.840.1.101.3.4.2.1'));
/** How it is signed, by the kind of key. */
const SIGNED_BY: Readonly<Record<string, Buffer>> = {
  ec: der(SEQUENCE, oid('1.2.840.10045.4.3.2')),
  rsa: der(SEQUENCE, oid('1.2.840.113549.1.1.11'), der(NULL)),
};
const VERSION_1 = der(INTEGER, Uint8Array.of(1));

/**
 * The deployment signed with an operator's own key: CMS SignedData (RFC 5652) in DER, with the
 * operator's certificate in it, as `openssl cms -verify -binary -inform DER` reads it. Both PEM;
 * of several certificates the first is the operator's. Throws DeploymentError, or ActFailure
 * 'usage' for a key that cannot sign or is of another certificate.
 */
export function signDeployment(
  deployment: Deployment,
  { certificate, key }: { readonly certificate: string; readonly key: string },
): Buffer {
  const content = encodeDeployment(deployment);
  const own = new X509Certificate(certificate);
  const secret = createPrivateKey(key);
  const algorithm = SIGNED_BY[secret.asymmetricKeyType ?? ''];
  if (algorithm === undefined)
    throw usage(
      `a key of the kind ${secret.asymmetricKeyType ?? 'unknown'} cannot sign a configuration`,
      'use a certificate of an EC or RSA key: proxyctl pki issue makes such',
    );
  if (!own.checkPrivateKey(secret))
    throw usage(
      'the certificate and the key of this context do not belong together',
      'mend cert and key of the context: proxyctl context list names its file',
    );
  const digest = createHash('sha256').update(content).digest();
  // In the order of their bytes, as a SET OF in DER has it (X.690, 11.6).
  const attributes = [
    attribute(CONTENT_TYPE, DATA),
    attribute(MESSAGE_DIGEST, der(OCTET_STRING, digest)),
  ].sort((a, b) => Buffer.compare(a, b));
  const signer = der(
    SEQUENCE,
    VERSION_1,
    nameOf(own),
    SHA256,
    der(CONTEXT_0, ...attributes),
    algorithm,
    der(OCTET_STRING, sign('sha256', der(SET, ...attributes), secretOf(secret))),
  );
  const signed = der(
    SEQUENCE,
    VERSION_1,
    der(SET, SHA256),
    der(SEQUENCE, DATA, der(CONTEXT_0, der(OCTET_STRING, content))),
    der(CONTEXT_0, own.raw),
    der(SET, signer),
  );
  return der(SEQUENCE, SIGNED_DATA, der(CONTEXT_0, signed));
}

/** As DER has an ECDSA signature; of RSA it means nothing. */
const secretOf = (key: KeyObject) => ({ key, dsaEncoding: 'der' as const });

const attribute = (type: Buffer, value: Buffer): Buffer => der(SEQUENCE, type, der(SET, value));

/** IssuerAndSerialNumber, byte for byte as the certificate has them (RFC 5280, 4.1). */
function nameOf({ raw }: X509Certificate): Buffer {
  const [tbs] = elements(inside(raw, SEQUENCE));
  const parts = tbs === undefined ? [] : elements(tbs.content);
  const [serial, , issuer] = parts[0]?.tag === CONTEXT_0 ? parts.slice(1) : parts;
  if (serial === undefined || issuer === undefined) throw new RangeError('no certificate');
  return der(SEQUENCE, issuer.whole, serial.whole);
}
